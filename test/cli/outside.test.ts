import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openArchive } from '../../library/open-archive.js'
import { makeFolder, ORDERS, ORDERS_CONFIG, run } from './command-line.js'

const CASES = join(import.meta.dirname, '../fixtures/cases')
const CONFIG = ['--config', ORDERS_CONFIG]

let orders: string
beforeAll(async () => {
  orders = join(makeFolder(), 'archive')
  expect((await run(['ingest', ORDERS, '--archive', orders, ...CONFIG])).exit).toBe(0)
})

/** A copy of the archive of the example, in a folder with nothing beside it. */
function copyOfOrders(): string {
  const root = join(makeFolder(), 'archive')
  cpSync(orders, root, { recursive: true })
  return root
}

/** A folder of somebody else's, and what is in it. */
function victim() {
  const folder = makeFolder()
  mkdirSync(join(folder, 'docs'))
  for (const name of ['a.txt', 'docs/b.txt', '1234567-x.txt']) writeFileSync(join(folder, name), 'precious')
  return { folder, content: () => readdirSync(folder, { recursive: true }).sort() }
}

const UNTOUCHED = ['1234567-x.txt', 'a.txt', 'docs', 'docs/b.txt']

describe('a file under config/ that is no configuration', () => {
  it('becomes no SQL, is named, and costs no answer of the rows', async () => {
    const root = copyOfOrders()
    const name = '0000000000000000.json'
    cpSync(join(CASES, 'config-file-runs-sql', name), join(root, 'config/Orders', name))
    const here = process.cwd()
    for (const command of [
      ['status'],
      ['history', 'Orders', 'ORD12345'],
      ['as-of', 'Orders', 'ORD12345', '2026-11-29T00:00:00Z'],
      ['query', 'deletions', 'Orders'],
      ['verify', 'continuity'],
    ]) {
      const before = await run([...command, '--archive', orders])
      const { exit, out, err } = await run([...command, '--archive', root])
      expect(err).toContain(`config/Orders/${name}: columns[0].column is "x\\"; copy`)
      const checks = command[0] === 'status' || command[0] === 'verify'
      expect([exit, out.replaceAll(root, orders)]).toEqual([checks ? 3 : before.exit, before.out])
    }
    await using archive = await openArchive(root)
    expect([...(await archive.sql('select count(*) as n from orders'))]).toEqual([{ n: 2218n }])
    expect(existsSync(join(here, 'pwned.txt'))).toBe(false)
  })

  it('stops whoever writes rows, because types must not change under a name', async () => {
    const root = copyOfOrders()
    writeFileSync(join(root, 'config/Orders/0000000000000000.json'), 'null')
    const { exit, err } = await run(['ingest', ORDERS, '--archive', root, ...CONFIG])
    expect([exit, err]).toEqual([
      3,
      expect.stringContaining('config/Orders/0000000000000000.json: it is null, expected an object'),
    ])
  })
})

describe('a file under facts/ that is no fact', () => {
  const fact = {
    version: 'fact/v1',
    kind: 'gap',
    table: 'Orders',
    recorded: '2026-11-21T00:00:00.000000Z',
    source: 'arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/x',
    shard: 'shardId-1',
    after: null,
    before: null,
    from: null,
    to: '2026-11-21T00:00:00.000000Z',
    reason: 'trimmed',
  }

  it.each([
    ['{', 'is no JSON'],
    ['[]', 'it is [], expected an object'],
    [{ ...fact, kind: 'erased' }, 'kind is "erased", expected "baseline", "reconciliation", "gap", "stream-changed"'],
    [{ ...fact, to: 'now' }, 'to is "now", expected ISO 8601 in UTC'],
    [{ ...fact, table: 'Others' }, 'table is "Others", expected "Orders"'],
  ])('is named, costs no answer, and leaves it in doubt: %j', async (content, message) => {
    const root = copyOfOrders()
    mkdirSync(join(root, 'facts/Orders'), { recursive: true })
    const name = '20261121T000000.000000Z-gap.json'
    writeFileSync(join(root, 'facts/Orders', name), typeof content === 'string' ? content : JSON.stringify(content))
    const { exit, out, err } = await run(['history', 'Orders', 'ORD12345', '--archive', root])
    expect([exit, err]).toEqual([3, expect.stringContaining(`facts/Orders/${name}: ${message}`)])
    expect(out).toContain('UNBROKEN since INSERT')
    const checked = await run(['verify', 'continuity', '--archive', root])
    expect([checked.exit, checked.err]).toEqual([3, expect.stringContaining(`facts/Orders/${name}: ${message}`)])
    // whoever writes to a table acts only on what is known for certain
    const restored = await run([
      'restore',
      'Orders',
      '--as-of',
      '2026-11-19T00:00:00Z',
      '--against',
      'archive',
      '--archive',
      root,
    ])
    expect([restored.exit, restored.err]).toEqual([3, expect.stringContaining(message)])
  })
})

describe('a link in an archive', () => {
  it('in place of the staging folder is refused by name, and nothing behind it is removed', async () => {
    const root = copyOfOrders()
    const { folder, content } = victim()
    rmSync(join(root, '.staging'), { recursive: true, force: true })
    symlinkSync(folder, join(root, '.staging'))
    const { exit, err } = await run(['ingest', ORDERS, '--archive', root, ...CONFIG])
    expect([exit, err]).toEqual([3, expect.stringContaining('.staging: is a link, which an archive does not follow')])
    expect(content()).toEqual(UNTOUCHED)
  })

  it.each(['changes', 'checkpoint', 'answers', '.work', '.lock.duckdb'])(
    'in place of derived/Orders/%s is refused by name, and nothing behind it is removed',
    async name => {
      const root = copyOfOrders()
      const { folder, content } = victim()
      mkdirSync(join(root, 'derived/Orders'), { recursive: true })
      symlinkSync(folder, join(root, 'derived/Orders', name))
      const { exit, err } = await run(['compact', '--archive', root])
      expect([exit, err]).toEqual([1, expect.stringContaining(`derived/Orders/${name} is a link`)])
      expect(content()).toEqual(UNTOUCHED)
    },
  )

  it.each([
    ['.lock.duckdb', 'file'],
    ['.lock.duckdb.wal', 'file'],
    ['.work', 'folder'],
  ])('is refused like a pipe in place of derived/Orders/%s, which nobody would write to', async (name, expected) => {
    const root = copyOfOrders()
    mkdirSync(join(root, 'derived/Orders'), { recursive: true })
    execFileSync('mkfifo', [join(root, 'derived/Orders', name)])
    const { exit, err } = await run(['compact', '--archive', root])
    expect([exit, err]).toEqual([1, expect.stringContaining(`derived/Orders/${name} is no ${expected}`)])
  })

  it('is no file of the compacted copy: the archive is asked instead, and that is remarked', async () => {
    const root = copyOfOrders()
    const history = ['history', 'Orders', 'ORD12345', '--archive', root]
    const before = await run(history)
    expect((await run(['compact', '--archive', root])).exit).toBe(0)
    const rows = readdirSync(join(root, 'derived/Orders/changes'), { recursive: true, encoding: 'utf8' })
    for (const put of [
      (path: string) => mkdirSync(path),
      (path: string) => symlinkSync('/etc/hosts', path),
      (path: string) => execFileSync('mkfifo', [path]),
    ]) {
      for (const name of rows.filter(file => file.endsWith('.parquet'))) {
        rmSync(join(root, 'derived/Orders/changes', name), { recursive: true })
        put(join(root, 'derived/Orders/changes', name))
      }
      const { exit, out, err } = await run(history)
      expect([exit, out]).toEqual([before.exit, before.out])
      expect(err).toMatch(
        /compacted copy of Orders was not used, the archive was asked instead: derived\/Orders\/changes/,
      )
    }
  })

  it('in place of a table or of a day is neither read nor written, and every question says so', async () => {
    const elsewhere = makeFolder()
    for (const key of ['data/Orders', 'data/Orders/event_date=2026-11-20', 'data']) {
      const root = copyOfOrders()
      const target = mkdtempSync(join(elsewhere, 'x'))
      renameSync(join(root, key), join(target, 'moved'))
      symlinkSync(join(target, 'moved'), join(root, key))
      const files = () => readdirSync(join(target, 'moved'), { recursive: true }).length
      const before = files()
      for (const command of [['status'], ['verify', 'rows'], ['query', 'deletions', 'Orders']]) {
        const { exit, err } = await run([...command, '--archive', root])
        expect([command, exit, err]).toEqual([command, 3, expect.stringContaining(`${key} is a link`)])
      }
      const again = await run(['ingest', ORDERS, '--archive', root, ...CONFIG])
      expect([again.exit, again.err]).toEqual([1, expect.stringContaining(`${key}: is a link`)])
      expect(files()).toBe(before)
    }
  })

  it('is allowed as the archive itself', async () => {
    const root = copyOfOrders()
    symlinkSync(root, `${root}-linked`)
    const { exit, out } = await run(['history', 'Orders', 'ORD12345', '--archive', `${root}-linked`])
    expect([exit, out]).toEqual([0, (await run(['history', 'Orders', 'ORD12345', '--archive', orders])).out])
    expect((await run(['compact', '--archive', `${root}-linked`])).exit).toBe(0)
  })
})

describe('a compaction', () => {
  it('sweeps only names that it gives itself', async () => {
    const root = copyOfOrders()
    await run(['compact', '--archive', root])
    const bucket = 'changes/folder=00000000-0000-4000-8000-000000000000-0/bucket=0'
    const kept = [
      'changes/notes.txt',
      'changes/mine/rows.parquet',
      `${bucket}/mine.parquet`,
      'covered.tsv',
      'notes.json',
    ]
    const ours = `${bucket}/rows.parquet`
    for (const folder of [bucket, 'changes/mine']) mkdirSync(join(root, 'derived/Orders', folder), { recursive: true })
    for (const name of [...kept, ours]) writeFileSync(join(root, 'derived/Orders', name), 'x')
    expect((await run(['compact', '--archive', root])).exit).toBe(0)
    for (const name of kept) expect(existsSync(join(root, 'derived/Orders', name))).toBe(true)
    expect(existsSync(join(root, 'derived/Orders', ours))).toBe(false)
  })
})

describe('folders and files of an archive', () => {
  it('are for their owner alone', async () => {
    const root = join(makeFolder(), 'deep/archive')
    await run(['ingest', ORDERS, '--archive', root, ...CONFIG])
    await run(['compact', '--archive', root])
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      // DuckDB makes the file that is its lock; nothing is kept in it
      if (entry.name === '.lock.duckdb') continue
      expect([path, (statSync(path).mode & 0o777).toString(8)]).toEqual([path, entry.isDirectory() ? '700' : '600'])
    }
  })

  it('are made in a new folder of one letter, too', async () => {
    const changes = join(CASES, 'archive-folder-of-one-letter/changes.jsonl')
    const here = process.cwd()
    process.chdir(makeFolder())
    try {
      for (const root of ['a', 'x/archive']) {
        const { exit } = await run(['ingest', changes, '--archive', root])
        expect([exit, readdirSync(join(root, 'data'))]).toEqual([0, ['Customers']])
      }
    } finally {
      process.chdir(here)
    }
  })
})

describe('what lies under data/ and is not read', () => {
  const day = 'data/Orders/event_date=2026-11-20'
  const move = (root: string, to: string) => {
    mkdirSync(join(root, to), { recursive: true })
    for (const name of readdirSync(join(root, day)).filter(file => file.endsWith('.parquet')))
      renameSync(join(root, day, name), join(root, to, name))
  }

  it('is not an object in a folder of its day', async () => {
    const root = copyOfOrders()
    move(root, `${day}/hour=07/x`)
    for (const command of [['status'], ['history', 'Orders', 'ORD12345'], ['query', 'deletions', 'Orders']]) {
      const moved = await run([...command, '--archive', root])
      const before = await run([...command, '--archive', orders])
      expect([moved.exit, moved.out.replaceAll(root, orders)]).toEqual([before.exit, before.out])
    }
    await run(['compact', '--archive', root])
    const moved = await run(['history', 'Orders', 'ORD12345', '--archive', root])
    expect(moved.out).toEqual((await run(['history', 'Orders', 'ORD12345', '--archive', orders])).out)
  })

  it.each([
    ['data/Orders/event_date=1900-01-01', 'data/Orders/event_date=1900-01-01 is the folder of no day'],
    ['data/Orders/event_date=ZZZ', 'data/Orders/event_date=ZZZ is the folder of no day'],
    ['data/Orders/event_date=', 'data/Orders/event_date= is the folder of no day'],
    ['data/Orders/x', 'data/Orders/x is the folder of no day'],
    ['data/Orders', '.parquet lies in the folder of no day'],
    [`${day}/hour=07/x.parquet`, `${day}/hour=07/x.parquet is a folder, expected an object`],
    [`${day}/_hidden`, `${day}/_hidden has a name that begins with "_" or "."`],
    [`${day}/event_date=2026-11-19`, "event_date=2026-11-19 lies within another day's folder"],
    ['data', '.parquet lies in the folder of no table'],
  ])('is named when it is %s', async (to, message) => {
    const root = copyOfOrders()
    move(root, to)
    for (const command of [['status'], ['history', 'Orders', 'ORD12345']]) {
      const { exit, err } = await run([...command, '--archive', root])
      expect([command, exit, err]).toEqual([command, 3, expect.stringContaining(message)])
    }
    if (to !== 'data') expect((await run(['compact', '--archive', root])).err).toContain(message)
  })

  it('is told by what sets the archive against something else, and nothing is done on its account', async () => {
    const root = copyOfOrders()
    const receipt = join(makeFolder(), 'receipt.json')
    await run(['query', 'deletions', 'Orders', '--receipt', receipt, '--archive', root])
    mkdirSync(join(root, day, 'more.parquet'))
    const past = ['restore', 'Orders', 'ORD12345', '--as-of', '2026-11-20T00:00:00Z']
    for (const command of [
      [...past, '--against', 'archive'],
      ['rerun', receipt],
    ]) {
      const { exit, err } = await run([...command, '--archive', root])
      expect([command[0], exit, err]).toEqual([command[0], 3, expect.stringContaining('more.parquet is a folder')])
    }
    const output = join(makeFolder(), 'export')
    const { exit, err } = await run([...past.toSpliced(2, 1), '--output', output, '--archive', root])
    expect([exit, err]).toEqual([3, expect.stringContaining('more.parquet is a folder')])
  })

  it('is only said of what a file manager leaves', async () => {
    const root = copyOfOrders()
    writeFileSync(join(root, day, '.DS_Store'), 'x')
    const { exit, err } = await run(['status', '--archive', root])
    expect([exit, err]).toEqual([0, expect.stringContaining(`${day}/.DS_Store has a name that begins with`)])
    expect((await run(['history', 'Orders', 'ORD12345', '--archive', root])).exit).toBe(0)
  })
})

describe('a fact or a configuration that was put deeper', () => {
  it('is named, and the answer that would rest on it is not called whole', async () => {
    const root = copyOfOrders()
    const gap = {
      version: 'fact/v1',
      kind: 'gap',
      table: 'Orders',
      recorded: '2026-11-22T10:00:00.000Z',
      from: '2026-11-20T00:00:00.000Z',
      to: '2026-11-21T00:00:00.000Z',
      reason: 'tail was down',
    }
    const facts = join(root, 'facts/Orders')
    const name = '20261122T100000.000Z-gap.json'
    mkdirSync(join(facts, 'deeper'), { recursive: true })
    writeFileSync(join(facts, name), JSON.stringify(gap))
    const history = ['history', 'Orders', 'ORD12345', '--archive', root]
    const told = (await run(history)).out
    renameSync(join(facts, name), join(facts, 'deeper', name))
    for (const command of [history, ['status', '--archive', root], ['verify', 'continuity', '--archive', root]]) {
      const { exit, err } = await run(command)
      expect([command[0], exit]).toEqual([command[0], 3])
      expect(err).toContain(`facts/Orders/deeper/${name}: is deeper than what is read, which lies in facts/Orders/`)
    }
    expect((await run(history)).out).not.toBe(told)
    rmSync(join(facts, 'deeper'), { recursive: true })
    const config = join(root, 'config/Orders')
    const [kept] = readdirSync(config) as [string]
    mkdirSync(join(config, 'old'))
    renameSync(join(config, kept), join(config, 'old', kept))
    const { exit, err } = await run(['status', '--archive', root])
    expect([exit, err]).toEqual([3, expect.stringContaining(`config/Orders/old/${kept}: is deeper than what is read`)])
  })
})

describe('a folder that is no archive', () => {
  it('is told, and an empty one is an archive', async () => {
    const folder = makeFolder()
    expect(await run(['status', '--archive', folder])).toMatchObject({ exit: 0 })
    writeFileSync(join(folder, 'package.json'), '{}')
    const { exit, err } = await run(['status', '--archive', folder])
    expect([exit, err]).toEqual([3, expect.stringContaining('is none, expected a folder with data/')])
    await expect(openArchive(folder)).rejects.toThrow('is none')
    expect(readFileSync(join(folder, 'package.json'), 'utf8')).toBe('{}')
  })
})
