/** Files that say how far a work is: what they are not is told, or is done again. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { readCheckpoint, type TailCheckpoint, writeCheckpoint } from '../../capture/tail-checkpoint.js'
import { FileError } from '../../config/gate.js'
import { checkpointPath } from '../../delivery/tail-state.js'
import { Ledger } from '../../store/redriven.js'
import { processingFailedLine } from '../../transform/refused-line.js'
import { ARRIVAL, recordBytes, streamsRecord } from '../factories.js'
import { type ScriptedShard, type StreamsServer, startStreamsServer } from '../streams-server.js'
import { damage, damaged, edit, edited, FUZZ_TIMEOUT, fuzz, Place } from './harness.js'

const place = new Place()
afterAll(() => place.remove())
vi.stubEnv('AWS_ACCESS_KEY_ID', 'none')
vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'none')
vi.stubEnv('AWS_REGION', 'us-east-1')

const edits = fc.array(edit, { maxLength: 3 })
const other = fc.record({ edits, damage })
type Other = typeof other extends fc.Arbitrary<infer T> ? T : never

const isWhole = ({ edits, damage }: Other) => edits.length === 0 && damage.how === 'none'

const CHECKPOINT: TailCheckpoint = {
  table: 'Orders',
  stream: 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/2026-11-22T00:00:00.000',
  finished: false,
  saved: ARRIVAL,
  shards: {
    a: { parent: null, state: 'ended', after: '000000000000000000100', madeAt: ARRIVAL - 5000, emptyAt: null },
    b: { parent: 'a', state: 'reading', after: '000000000000000000200', madeAt: ARRIVAL, emptyAt: ARRIVAL },
  },
}

describe('somebody else', { timeout: FUZZ_TIMEOUT }, () => {
  it('cannot make a checkpoint say another place in silence', () =>
    fuzz(other, async ({ edits, damage }) => {
      const text = JSON.stringify(edited(JSON.parse(writeCheckpoint(CHECKPOINT)), edits))
      try {
        expect(readCheckpoint(damaged(Buffer.from(text), damage), 'checkpoint')).toEqual(CHECKPOINT)
      } catch (error) {
        if (!(error instanceof FileError)) throw error
      }
    }))

  describe('who edits what a tail remembers', () => {
    let server: StreamsServer
    let shard: ScriptedShard
    const begun = join(place.inside, 'begun')
    beforeAll(async () => {
      server = await startStreamsServer()
      shard = server.addShard(server.addStream())
      for (let i = 0; i < 2; i++) server.write(shard, 'ORD1', Date.now() - 60_000 + i)
      expect((await place.guard(tail(begun))).exit).toBe(0)
      server.write(shard, 'ORD1', Date.now() - 1000)
    })
    afterAll(() => server.stop())

    const tail = (root: string) => [
      ...['tail', 'Orders', '--archive', root, '--endpoint', server.endpoint, '--until-caught-up'],
    ]

    let runs = 0
    it('makes it miss nothing in silence', () =>
      fuzz(other, async ({ edits, damage }) => {
        const root = join(place.inside, `tail-${++runs}`)
        cpSync(begun, root, { recursive: true })
        const path = checkpointPath(root, 'Orders')
        const text = JSON.stringify(edited(JSON.parse(readFileSync(path, 'utf8')), edits))
        writeFileSync(path, damaged(Buffer.from(text), damage))
        const { exit } = await place.guard(tail(root), begun)
        if (exit === 0) {
          const { out } = await place.guard(['history', 'Orders', 'ORD1', '--archive', root], root)
          expect(out).toContain('3 changes')
        } else expect(exit).toBe(3)
        rmSync(root, { recursive: true })
      }))
  })

  it('who edits what was sent again, or what is refused, loses no record in silence', () => {
    const lines = ['A1', 'A2', 'A3'].map((id, i) => {
      const data = recordBytes(
        streamsRecord({ eventID: id, SequenceNumber: `${i + 1}`, Keys: { order_id: { S: id } } }),
      )
      const [attempts, code, message] = [1, 'Lambda.ProcessingFailedStatus', 'ProcessingFailed']
      return JSON.parse(
        processingFailedLine({ data, arrival: ARRIVAL, attempts, code, message, lambdaArn: 'arn' }, ARRIVAL),
      )
    })
    const object = 'refused/processing-failed/Orders/2026/11/22/10/one'
    const sent = () => {
      const path = join(place.inside, 'ledger')
      rmSync(path, { force: true })
      Ledger.open(path, 'archive').add([{ object, line: 0, index: 0, of: 1 }], 'archive', ARRIVAL)
      return JSON.parse(readFileSync(path, 'utf8')) as object
    }
    let runs = 0
    return fuzz(fc.record({ ledger: other, refused: other }), async ({ ledger, refused }) => {
      const root = join(place.inside, `redrive-${++runs}`)
      const write = (key: string, values: readonly object[], { edits, damage }: Other) => {
        const found = edited(values, edits)
        const text = (Array.isArray(found) ? found : [found]).map(value => `${JSON.stringify(value)}\n`).join('')
        mkdirSync(dirname(join(root, key)), { recursive: true })
        writeFileSync(join(root, key), damaged(Buffer.from(text), damage))
      }
      write(object, lines, refused)
      write('.redriven.ndjson', [sent()], ledger)
      const argv = ['redrive', 'Orders', '--send', '--archive', root]
      const { exit } = await place.guard(argv)
      if (exit === 0 && isWhole(refused)) {
        const { out } = await place.guard(['sql', 'select distinct item_key from orders order by 1', '--archive', root])
        expect(out).toMatch(/A2.*\n.*A3/)
      }
      // A record whose field that names its stream is damaged is refused until the archive has records of one stream:
      // then it is of that one. So a second run may send what a first left, and says so; the next has nothing new to
      // learn.
      const second = await place.guard(argv)
      if (second.exit !== exit) expect(second.out).toMatch(/^[1-9]\d* sent again$/m)
      expect((await place.guard(argv)).exit).toBe(second.exit)
      rmSync(root, { recursive: true })
    })
  })
})
