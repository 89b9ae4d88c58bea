/** Every place that a desk writes to, of a table whose keys name persons, searched byte by byte after one was erased. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { linesOf, makeFolder, run } from '../cli/command-line.js'
import { writeExport } from '../table-export.js'
import { everythingIn } from './everything-in.js'

const ANN = 'USER#ann@secret.example'
const CLEAR = /ann@secret|Ann Secret/
const TABLE = 'arn:aws:dynamodb:eu-central-1:111122223333:table/Users'
const userOf = (status: string) => ({ pk: { S: ANN }, status: { S: status }, name: { S: 'Ann Secret' } })

const records = ['NEW', 'PAID', 'SENT'].map((status, i, all) => ({
  eventID: `e${i}`,
  eventName: i === 0 ? 'INSERT' : 'MODIFY',
  eventSourceARN: `${TABLE}/stream/2026-01-01T00:00:00.000`,
  awsRegion: 'eu-central-1',
  dynamodb: {
    ApproximateCreationDateTime: 1_790_000_000 + i,
    Keys: { pk: { S: ANN } },
    ...(i > 0 && { OldImage: userOf(all[i - 1] as string) }),
    NewImage: userOf(status),
    SequenceNumber: String(100 + i),
    StreamViewType: 'NEW_AND_OLD_IMAGES',
  },
}))

describe('the places of a desk', () => {
  const folder = makeFolder()
  const clear = makeFolder()
  const at = (name: string) => join(folder, name)
  const before = { TMPDIR: process.env.TMPDIR, XDG_STATE_HOME: process.env.XDG_STATE_HOME }
  const ask = (...argv: readonly string[]) => run([...argv, '--archive', at('archive'), '--config', at('config.json')])
  const done = async (...argv: readonly string[]) => {
    const { exit, out, err } = await ask(...argv)
    expect(exit, `${argv.join(' ')}: ${err}`).toBeLessThan(2)
    return out + err
  }
  beforeAll(async () => {
    for (const name of ['TMPDIR', 'XDG_STATE_HOME'] as const) {
      process.env[name] = at(name)
      mkdirSync(at(name))
    }
    const users = { keys: ['pk'], erasable: [{ subject: 'pk', attributes: ['name'] }], keyIsPersonal: ['pk'] }
    writeFileSync(at('config.json'), JSON.stringify({ erasure: { keys: at('keys') }, tables: { Users: users } }))
    await done('subject', 'init')
    const { exit } = await run(['ingest', '-', '--archive', at('archive'), '--config', at('config.json')], {
      stdin: linesOf(records),
    })
    expect(exit).toBe(0)
  })
  afterAll(() => {
    for (const name of ['TMPDIR', 'XDG_STATE_HOME'] as const) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  })

  it('hold nothing in clear of who was erased, whatever was done before and is done after', async () => {
    const exported = await writeExport(clear, {
      files: [[{ Item: userOf('LOST') }]],
      summary: {
        tableArn: TABLE,
        exportArn: `${TABLE}/export/01795341600000-a1b2c3d4`,
        exportTime: '2026-09-21T15:00:00Z',
      },
    })
    const key = at('seal.key')
    const work = async (round: string) => {
      let told = ''
      const file = (name: string) => at(`${round}-${name}`)
      told += await done('compact', 'Users')
      told += await done(
        'seal',
        '--key',
        key,
        ...(round === 'first' ? ['--init', '--origin', 'audit.example/users'] : []),
      )
      const item = ['history', 'Users', ANN] as const
      told += await done(...item)
      told += await done(...item, '--receipt', file('receipt.json'), '--output', file('history.html'))
      told += await done(...item, '--format', 'parquet', '--output', file('history.parquet'))
      told += await done(...item, '--key', key, '--evidence', file('evidence'))
      told += await done('find', 'Users', ANN, '--attribute', 'pk', '--format', 'json')
      told += await done('prove', 'Users', ANN, '--key', key, '--output', file('proofs'))
      told += await done('reconcile', 'Users', '--export', exported)
      told += await done('verify')
      told += await done('status')
      expect(told).not.toMatch(CLEAR)
    }
    await work('first')
    expect(await everythingIn(folder)).not.toMatch(CLEAR)
    const erased = await done('subject', 'erase', ANN, '--reason', 'asked', '--format', 'json')
    expect(JSON.parse(erased).certificates).toMatchObject([{ table: 'Users', rows: 3, pending: [] }])
    await work('second')
    const everything = await everythingIn(folder)
    expect(everything).not.toMatch(CLEAR)
    // what was searched holds what it should
    for (const part of ['token:', '"status":{"S":"PAID"}', 'itemtrail', 'audit.example/users'])
      expect(everything).toContain(part)
    expect(readFileSync(at('second-receipt.json'), 'utf8')).toContain('"asked_as": null')
  })
})
