import { existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Command, EXIT, type Io, type Options } from '../io.js'
import { paint } from '../print.js'
import { asOf } from './as-of.js'
import { history } from './history.js'
import { ingest } from './ingest.js'
import { query } from './query.js'

/** The main job on bundled data: a stream that a real DynamoDB produced goes in, answers come out. */
export const demo: Command = {
  usage: 'demo',
  summary: 'archives a bundled order history and asks it questions',
  options: [['--archive <dir>', 'the archive to make; it is emptied first', './demo']],
  example: 'itemtrail demo',
  run: async (_, options, io) => {
    const archive = options.archive as string
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
  'query status-transitions Orders --param from=2026-11-19T00:00:00Z',
  'sql "select actor, count(*) as changes from orders group by actor order by changes desc limit 5"',
  'status',
]

async function step(title: string, command: Command, args: readonly string[], options: Options, io: Io): Promise<void> {
  io.out(`\n${paint(io, ['bold', 'cyan'], `── ${title}`)}\n\n`)
  await command.run(args, options, io)
}

/** A folder that this command made before, told by the archive's own folders, is made anew. */
function emptyDemo(archive: string): void {
  for (const part of ['config', 'data', 'refused', '.staging'])
    rmSync(join(archive, part), { recursive: true, force: true })
}

/** The folder of the package, from its sources as from `dist`. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}
