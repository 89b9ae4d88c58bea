import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../config/package.js'
import { CONFIG_PREFIX, DATA_PREFIX, REFUSED_PREFIX, STAGING_FOLDER } from '../../transform/layout.js'
import { archiveRoot } from '../ask/workspace.js'
import { type Command, CommandError, EXIT, type Io, type Options } from '../io.js'
import { paint } from '../show/terminal.js'
import { asOf } from './as-of.js'
import { history } from './history.js'
import { ingest } from './ingest.js'
import { query } from './query.js'

const DEFAULT_DEMO = './demo'

/** The main job on bundled data: a stream that a real DynamoDB produced goes in, answers come out. */
export const demo: Command = {
  usage: 'demo',
  summary: 'archives a bundled order history and asks it questions',
  options: [['--archive <dir>', 'the archive to make; one that demo made before is emptied first', DEFAULT_DEMO]],
  example: 'itemtrail demo',
  run: async (_, options, io) => {
    const archive = archiveRoot(options)
    const orders = join(packageRoot(), 'examples', 'orders')
    const config = join(orders, 'itemtrail.config.json')
    emptyDemo(archive)
    const show = (title: string, command: Command, args: readonly string[], more: Options = {}) =>
      step(title, command, args, { archive, format: 'table', config, ...more }, io)

    await show('The stream of an order table goes into the archive', ingest, [join(orders, 'orders.jsonl.gz')])
    await show('What happened to order ORD12345?', history, ['Orders', 'ORD12345'])
    await show('What was it at noon of 19 November?', asOf, ['Orders', 'ORD12345', '2026-11-19T12:00:00Z'])
    await show('What changed on 20 November?', query, ['changes-between', 'Orders'], {
      param: ['from=2026-11-20T00:00:00Z', 'to=2026-11-21T00:00:00Z'],
    })
    await show('Is anything missing?', query, ['continuity', 'Orders'])
    io.out(
      `\n${paint(io, 'bold', 'Try next')}\n${NEXT.map(line => `  npx itemtrail ${line} --archive ${archive}\n`).join('')}`,
    )
    return EXIT.done
  },
}

const NEXT = [
  'diff Orders ORD12345 --from 2026-11-18T12:00:00Z --to 2026-11-20T12:00:00Z',
  'as-of Orders 2026-11-01T00:00:00Z --format dynamodb',
  'query deletions Orders',
  'query status-transitions Orders --from 2026-11-19',
  'sql "select actor, count(*) as changes from orders group by actor order by changes desc limit 5"',
  'status',
  'view',
]

async function step(title: string, command: Command, args: readonly string[], options: Options, io: Io): Promise<void> {
  io.out(`\n${paint(io, ['bold', 'cyan'], `── ${title}`)}\n\n`)
  await command.run(args, options, io)
}

/**
 * What tells an archive that this command made from one that somebody needs. No key of an archive begins with a dot.
 */
const MARK = '.made-by-demo'

/** Empties a folder that this command made before. Throws `CommandError` for any other archive. */
function emptyDemo(archive: string): void {
  const parts = [CONFIG_PREFIX, DATA_PREFIX, REFUSED_PREFIX, STAGING_FOLDER].map(part => join(archive, part))
  if (parts.some(existsSync) && archive !== DEFAULT_DEMO && !existsSync(join(archive, MARK)))
    throw new CommandError(
      `archive ${JSON.stringify(archive)} was not made by demo, which would empty it`,
      EXIT.usage,
      'name a folder that is not there yet',
    )
  for (const part of parts) rmSync(part, { recursive: true, force: true })
  mkdirSync(archive, { recursive: true })
  writeFileSync(join(archive, MARK), '')
}
