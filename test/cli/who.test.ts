/** `who`: as it is typed, over the cases of `test/fixtures/cloudtrail/`, and over files that are not what they should be. */
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { callersDesk } from '../queries/callers.js'
import { type Ending, makeFolder, run } from './command-line.js'

let desk: { readonly root: string; readonly trail: string }
let place: readonly string[]

beforeAll(async () => {
  desk = await callersDesk()
  const config = join(makeFolder(), 'itemtrail.config.json')
  writeFileSync(config, JSON.stringify({ tables: { Seats: { keys: ['hall', 'seat'], actor: 'by' } } }))
  place = ['--archive', desk.root, '--config', config]
})

function ask(argv: readonly string[], trail = desk.trail): Promise<Ending> {
  return run(['who', ...argv, ...place, '--cloudtrail', trail])
}

async function changesOf(argv: readonly string[], trail?: string) {
  const { out, err } = await ask([...argv, '--format', 'json'], trail)
  if (out === '') throw new Error(err)
  return (JSON.parse(out) as { changes: readonly Readonly<Record<string, unknown>>[] }).changes
}

describe('who', () => {
  it('tells one caller for certain, with what else was called near it', async () => {
    const { exit, out } = await ask(['Seats', 'hall=both,seat=4'])
    expect([exit, out]).toEqual([
      0,
      expect.stringContaining('certain: arn:aws:sts::111122223333:assumed-role/admin/erin\n'),
    ])
    expect(out).toContain('by ann@stage.example')
    expect(out).toContain(
      'PutItem 2026-11-19 12:15:00Z, of this item, by arn:aws:sts::111122223333:assumed-role/admin/erin, role arn:aws:iam::111122223333:role/admin, as erin@stage.example, from 192.0.2.17',
    )
  })

  it.each([
    ['hall=put,seat=4', 'certain', 0],
    ['hall=statements,seat=1', 'possible', 1],
    ['hall=declared,seat=4', 'declared', 1],
    ['hall=replica,seat=4', 'none', 1],
    ['hall=pending,seat=4', 'pending', 3],
    ['hall=before,seat=4', 'not covered', 3],
    ['hall=undelivered,seat=1', 'not covered', 3],
    ['hall=undelivered,seat=2', 'not covered', 3],
  ])('of %s says %s and ends with %i', async (key, verdict, exit) => {
    const ending = await ask(['Seats', key, '--format', 'json'])
    expect([ending.exit, JSON.parse(ending.out)]).toEqual([
      exit,
      expect.objectContaining({ changes: [expect.objectContaining({ verdict })] }),
    ])
  })

  it('says of what is pending for more than a day that no delay explains it', async () => {
    const told = async (now: string) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(now) })
      const { err } = await ask(['Seats', 'hall=pending,seat=4']).finally(() => vi.useRealTimers())
      return err.includes('1 change is pending and older than a day')
    }
    expect([await told('2026-11-19T21:00:00Z'), await told('2026-11-20T21:00:00Z')]).toEqual([false, true])
  })

  it('of a table alone names the question that lists all calls', async () => {
    const { exit, err } = await ask(['Seats'])
    expect([exit, err]).toEqual([2, expect.stringContaining('itemtrail query write-calls TABLE --from --to')])
  })

  it('tells calls by the clock that changes are told by', async () => {
    const { out } = await ask(['Seats', 'hall=both,seat=4', '--tz', 'Asia/Kolkata'])
    expect(out).toContain('PutItem 2026-11-19 17:45:00+05:30, of this item')
  })

  it('takes the id of a change, with a table and without, and narrows to some of an item', async () => {
    const [newest, before] = await changesOf(['Seats', 'hall=fewer,seat=4'])
    const id = String(newest?.event_id).slice(0, 8)
    for (const argv of [[id], ['Seats', id], [id, 'Seats']]) expect(await changesOf(argv)).toEqual([newest])
    expect(before).toMatchObject({ verdict: 'possible', callers: 1, calls: 1 })
    expect(await changesOf(['Seats', 'hall=fewer,seat=4', '-n', '1'])).toEqual([newest])
  })

  it('says the same of one change by itself as among its neighbours, which a call may have been for', async () => {
    const period = ['--from', '2026-11-19T11:50:00Z', '--to', '2026-11-19T11:50:00.5Z']
    expect(await changesOf(['Seats', 'hall=fewer,seat=4', ...period])).toEqual([
      expect.objectContaining({ verdict: 'possible' }),
    ])
  })

  it('keeps a receipt, which is asked again only where the calls are', async () => {
    const receipt = join(makeFolder(), 'receipt.json')
    expect((await ask(['Seats', 'hall=put,seat=4', '--receipt', receipt])).exit).toBe(0)
    const again = (argv: readonly string[]) => run(['rerun', receipt, ...place, ...argv])
    expect(await again([])).toMatchObject({ exit: 2, err: expect.stringContaining('no calls are given') })
    const { exit, out } = await again(['--cloudtrail', desk.trail])
    expect([exit, out]).toEqual([0, expect.stringContaining('the same answer')])
  })

  it('refuses to answer without calls, from no folder, an empty one, or on AWS from a folder', async () => {
    const without = await run(['who', 'Seats', 'hall=put,seat=4', ...place])
    expect([without.exit, without.out, without.err]).toEqual([
      2,
      '',
      expect.stringContaining('--cloudtrail FOLDER names'),
    ])
    const query = ['query', 'changes-with-caller', 'Seats', '--from', '2026-11-19', '--to', '2026-11-20', ...place]
    expect((await run(query)).exit).toBe(2)
    expect(await ask(['Seats', 'hall=put,seat=4'], join(desk.trail, 'nowhere'))).toMatchObject({
      exit: 3,
      err: expect.stringContaining('is not there, expected a folder'),
    })
    expect((await ask(['Seats', 'hall=put,seat=4'], makeFolder())).err).toContain('has no file of CloudTrail in it')
    expect((await ask(['Seats', 'hall=put,seat=4'], '')).exit).toBe(2)
    const onAws = await run(['who', 'Seats', 'x', '--workgroup', 'w', '--database', 'd', '--cloudtrail', desk.trail])
    expect([onAws.exit, onAws.err]).toEqual([2, expect.stringContaining('which Athena does not read')])
  })
})

describe('files of CloudTrail that are not what they should be', () => {
  /** A copy of the trail, in which something is done to the file of one case. */
  function damaged(name: string, damage: (file: string) => void): string {
    const trail = join(makeFolder(), 'trail')
    cpSync(desk.trail, trail, { recursive: true })
    const folder = join(trail, 'AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/19')
    damage(join(folder, readdirSync(folder).find(file => file.endsWith(`_${name}.json.gz`)) as string))
    return trail
  }
  const edited = (edit: (text: string) => string) => (file: string) =>
    writeFileSync(file, gzipSync(edit(gunzipSync(readFileSync(file)).toString())))

  function everyFile(edit: (text: string) => string): string {
    const trail = makeFolder()
    const folder = join(desk.trail, 'AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/19')
    for (const file of readdirSync(folder))
      writeFileSync(join(trail, file), gzipSync(edit(gunzipSync(readFileSync(join(folder, file))).toString())))
    return trail
  }

  it.each<[string, (file: string) => void, string]>([
    ['cut off', file => writeFileSync(file, readFileSync(file).subarray(0, 300)), 'cannot be read to its end'],
    ['of another JSON', edited(() => '{"Records":[1,{"a":1}]}'), 'events that cannot be read'],
    [
      'with an event without a time',
      edited(text => text.replaceAll('"eventTime"', '"eventtime"')),
      'has 1 event that cannot be read (it: eventTime is missing',
    ],
    ['with an event of another major version', edited(text => text.replaceAll('"1.11"', '"2.0"')), 'expected 1.x'],
    [
      'with a name twice',
      edited(text => text.replaceAll('"awsRegion"', '"eventName": "GetItem", "awsRegion"')),
      'same name twice',
    ],
    [
      'with parameters that are a text',
      edited(text => text.replace(/"requestParameters": \{[^}]*\{[^}]*\}[^}]*\}/, '"requestParameters": "x"')),
      'requestParameters is no object',
    ],
  ])('%s: the file is told, the answer is not believed whole, and the rest is read', async (_, damage, told) => {
    const trail = damaged('put-item', damage)
    const lost = await ask(['Seats', 'hall=put,seat=4'], trail)
    expect([lost.exit, lost.err]).toEqual([3, expect.stringContaining(told)])
    expect(lost.err).toContain('calls that it tells of are in no answer')
    expect(lost.out).not.toContain('certain:')
    expect(await changesOf(['Seats', 'hall=both,seat=4'], trail)).toEqual([
      expect.objectContaining({ verdict: 'certain' }),
    ])
  })

  it.each(['eu-central-1', '999999999999'])('of %s alone say nothing of the same table elsewhere', async other => {
    const here = other.includes('-') ? 'eu-west-1' : '111122223333'
    const elsewhere = everyFile(text => text.replaceAll(here, other))
    expect(await changesOf(['Seats', 'hall=put,seat=4'], elsewhere)).toEqual([
      expect.objectContaining({ verdict: 'not covered', calls: 0 }),
    ])
  })

  it('of another region do not show how far this one has delivered', async () => {
    const [case_, far] = ['pending', 'eu-central-1']
    const later = damaged(case_, file =>
      writeFileSync(
        join(file, '../later.json'),
        gunzipSync(readFileSync(file.replace(case_, 'put-item')))
          .toString()
          .replaceAll('eu-west-1', far)
          .replaceAll('2026-11-19T', '2026-11-20T'),
      ),
    )
    expect(await changesOf(['Seats', 'hall=pending,seat=4'], later)).toEqual([
      expect.objectContaining({ verdict: 'pending' }),
    ])
  })

  it('with a call that ended with an error of the service: it may have written', async () => {
    const failed = damaged(
      'put-item',
      edited(text => text.replaceAll('"responseElements"', '"errorCode": "InternalServerError", "responseElements"')),
    )
    expect(await changesOf(['Seats', 'hall=put,seat=4'], failed)).toEqual([
      expect.objectContaining({ verdict: 'possible', calls: 1 }),
    ])
  })

  it('of other services and other calls are passed over', async () => {
    const trail = damaged('put-item', file =>
      appendFileSync(
        join(file, '../other.json'),
        JSON.stringify({ Records: [{ eventSource: 's3.amazonaws.com', eventVersion: '9' }] }),
      ),
    )
    expect(await ask(['Seats', 'hall=put,seat=4'], trail)).toMatchObject({ exit: 0, err: '' })
  })

  describe('beside the digests that name them', () => {
    /** A copy with the digest of what was delivered, after which something is done to a file, or the digest. */
    function withDigest(damage: (log: string, digest: string) => void): string {
      return damaged('put-item', log => {
        const folder = join(log, '..')
        const digests = join(folder, '../../../../../CloudTrail-Digest/eu-west-1/2026/11/19')
        const logFiles = readdirSync(folder).map(name => ({
          s3Object: `AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/19/${name}`,
          hashValue: createHash('sha256')
            .update(gunzipSync(readFileSync(join(folder, name))))
            .digest('hex'),
          hashAlgorithm: 'SHA-256',
        }))
        // of a day that was not copied nothing is missed
        const elsewhere = {
          ...logFiles[0],
          s3Object: 'AWSLogs/x/111122223333_CloudTrail_eu-west-1_20261118T2355Z_x.json.gz',
        }
        mkdirSync(digests, { recursive: true })
        const digest = join(
          digests,
          '111122223333_CloudTrail-Digest_eu-west-1_audit_eu-west-1_20261119T210000Z.json.gz',
        )
        writeFileSync(
          digest,
          gzipSync(JSON.stringify({ awsAccountId: '111122223333', logFiles: [...logFiles, elsewhere] })),
        )
        damage(log, digest)
      })
    }
    const asked = ['Seats', 'hall=both,seat=4']

    it('are all there, packed or not, and nothing is said', async () => {
      expect(
        await ask(
          asked,
          withDigest(() => {}),
        ),
      ).toMatchObject({ exit: 0, err: '' })
      const unpacked = withDigest(log => {
        writeFileSync(log.replace(/\.gz$/, ''), gunzipSync(readFileSync(log)))
        rmSync(log)
      })
      expect(await ask(asked, unpacked)).toMatchObject({ exit: 0, err: '' })
    })

    it.each<[string, (log: string, digest: string) => void, string]>([
      [
        'one is missing',
        log => rmSync(log),
        'a file that CloudTrail delivered is not here of 111122223333_CloudTrail_eu-west-1_20261119',
      ],
      [
        'one was edited',
        edited(text => text.replaceAll('till-4', 'till-5')),
        'is not the file that CloudTrail delivered, by its digest',
      ],
      [
        'the digest is damaged',
        (_, digest) => writeFileSync(digest, 'no gzip'),
        'it does not tell which files are missing',
      ],
      ['the digest is another JSON', (_, digest) => writeFileSync(digest, '{"logFiles":7}'), 'logFiles'],
    ])('where %s, it is told, and the answer is not believed whole', async (_, damage, told) => {
      expect(await ask(asked, withDigest(damage))).toMatchObject({ exit: 3, err: expect.stringContaining(told) })
    })
  })

  it('that are links or pipes are told and not opened', async () => {
    const trail = damaged('put-item', file => symlinkSync(file, join(file, '../linked.json.gz')))
    const { exit, out, err } = await ask(['Seats', 'hall=put,seat=4'], trail)
    expect([exit, out]).toEqual([3, expect.stringContaining('certain: ')])
    expect(err).toContain('linked.json.gz is no plain file: calls that it tells of are in no answer')
  })

  it('shows what strangers wrote escaped', async () => {
    const trail = damaged(
      'put-item',
      edited(text => text.replaceAll('till-4', 'till\\u001b[31m\\u202e4')),
    )
    const { out } = await ask(['Seats', 'hall=put,seat=4'], trail)
    expect(out).toContain('certain: ')
    expect(['\u001b', '\u202e'].filter(sign => out.includes(sign))).toEqual([])
  })
})
