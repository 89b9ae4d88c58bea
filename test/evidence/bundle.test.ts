import { spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { cpSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { readBuilt } from '../../evidence/built-file.js'
import { bundleIn } from '../../evidence/bundle-folder.js'
import { formatRowProof, parseRowProof } from '../../evidence/row-proof.js'
import { showBundle } from '../../evidence/show-bundle.js'
import { type BundleFiles, verifyBundle as verifyWith } from '../../evidence/verify-bundle.js'
import { writeBundle } from '../../evidence/write-bundle.js'
import { openArchive } from '../../library/open-archive.js'
import { formatCheckpoint, parseCheckpoint } from '../../proof/checkpoint.js'
import { parseNote, signerOf, signNote } from '../../proof/note.js'
import { receiptHash } from '../../queries/answers/receipt-hash.js'
import { type HashedColumns, rowHash } from '../../transform/audit-row.js'
import { fileOf } from '../cli/command-line.js'
import { temporaryFolder } from '../delivery/desk.js'
import { IDENTITY, sealFolder } from '../journal/desk-journal.js'
import { ORIGIN, SEED, VKEY, WITNESS_SEED, WITNESS_VKEY } from '../proof/vectors.js'
import { randomOf } from '../random.js'
import { alterRows, parquetUnder } from '../store/altering.js'
import { bundleOf, givenBundle, type MemoryBundle, ORDERS_TABLE, OTHER_VKEY, ordersArchive } from './sealed-orders.js'

const DAYS = { from: '2026-11-01T00:00:00Z', to: '2026-11-04T00:00:00Z' }
const PERIOD = { from: '2026-11-01T00:00:00Z', to: '2026-11-20T00:00:00Z' }

/** What only Node itself can be asked for. */
const NOTHING = { PATH: process.env.PATH }

let root: string
let bundle: MemoryBundle
/** Of few rows: by hand each takes a while. */
let small: MemoryBundle

beforeAll(async () => {
  root = await ordersArchive()
  await sealFolder(root)
  bundle = await bundleOf(root, 'deletions', PERIOD)
  small = await bundleOf(root, 'deletions', DAYS)
})

const verifyBundle = (files: BundleFiles, vkey?: string) => verifyWith(files, vkey, readBuilt('verify.mjs'))

const kindsOf = (changed: MemoryBundle, vkey: string | undefined = VKEY) => [
  ...new Set(verifyBundle(changed, vkey).findings.map(({ kind }) => kind)),
]

/** The first line of `rows.ndjson` as an object, changed. */
const editRow = (change: (row: Record<string, unknown>) => object) => (text: string) => {
  const [line = '', ...rest] = text.split('\n')
  return [JSON.stringify(change(JSON.parse(line))), ...rest].join('\n')
}

/** A receipt that was changed, with its own hash made right. */
const resealed = (change: (receipt: Record<string, unknown>) => object) => (text: string) => {
  const changed = change(JSON.parse(text))
  return `${JSON.stringify({ ...changed, receipt_sha256: receiptHash(changed) }, null, 2)}\n`
}

/** A receipt of which no hash can be taken. */
const unhashed = (text: string) => {
  const { receipt_sha256: _, ...receipt } = JSON.parse(text)
  return `${JSON.stringify({ ...receipt, note: '\ud800' }, null, 2)}\n`
}

const crlf = (text: string) => text.replaceAll('\n', '\r\n')

const proofsOf = (changed: MemoryBundle) => changed.list().filter(path => path.endsWith('.row-proof'))
const firstProof = (changed: MemoryBundle) =>
  `data/proofs/${JSON.parse(changed.text('data/rows.ndjson').split('\n')[0] as string).event_id}.row-proof`

/** The bundle under a checkpoint that is signed again. */
async function resigned({ origin = ORIGIN, seed = SEED as Uint8Array }, from = bundle) {
  const changed = from.copy()
  const checkpoint = parseCheckpoint(parseNote(changed.text('data/log/checkpoint')).text)
  const note = await signNote(formatCheckpoint({ ...checkpoint, origin }), [signerOf(ORIGIN, seed)])
  changed.edit('data/log/checkpoint', () => note)
  for (const path of proofsOf(changed))
    changed.edit(path, text => {
      const proof = parseRowProof(text)
      return formatRowProof({ ...proof, object: { ...proof.object, checkpoint: note } })
    })
  return changed.remade()
}

describe('a bundle', () => {
  it('is sound by the key given, and by its own', () => {
    const given = verifyBundle(bundle, VKEY)
    expect(given).toMatchObject({ findings: [], key: 'given', rows: 45, proven: 45, checkpoint: { origin: ORIGIN } })
    expect(showBundle(given)).toContain('SOUND: each row was in the archive when the checkpoint was signed')
    const own = verifyBundle(bundle)
    expect(own).toMatchObject({ findings: [], key: 'from the bundle', proven: 45 })
    expect(showBundle(own)).toContain('anybody can have made it')
  })

  it('has what is listed, and nothing else', () => {
    expect(bundle.list().filter(path => !path.endsWith('.row-proof'))).toEqual([
      'bag-info.txt',
      'bagit.txt',
      'data/answer.csv',
      'data/answer.parquet',
      'data/log/checkpoint',
      'data/log/policy',
      'data/question.sql',
      'data/receipt.json',
      'data/report.html',
      'data/rows.ndjson',
      'data/verdict.json',
      'manifest-sha256.txt',
      'tagmanifest-sha256.txt',
      'verify/HOWTO.txt',
      'verify/verify.mjs',
    ])
  })

  it.each<[string, (changed: MemoryBundle) => unknown, string[]]>([
    ['a file too many', changed => changed.files.set('data/more.txt', Buffer.from('')), ['altered', 'unlisted']],
    ['a tag file too many', changed => changed.files.set('verify/more.mjs', Buffer.from('')), ['unlisted']],
    ['a file too few', changed => changed.files.delete('data/answer.csv'), ['altered', 'missing']],
    ['a proof too few', changed => changed.files.delete(firstProof(changed)), ['altered', 'missing', 'unproven']],
    ['no manifest', changed => changed.files.delete('manifest-sha256.txt'), ['missing']],
    ['an edited answer', changed => changed.edit('data/answer.csv', text => `${text} `), ['altered']],
    ['an edited program', changed => changed.edit('verify/verify.mjs', text => `${text} `), ['altered']],
    ['a manifest that is none', changed => changed.edit('manifest-sha256.txt', text => text.slice(1)), ['form']],
  ])('tells %s', (_what, change, kinds) => {
    const changed = bundle.copy()
    change(changed)
    expect(kindsOf(changed).sort()).toEqual(kinds.sort())
  })

  it.each<[string, (changed: MemoryBundle) => unknown, string[]]>([
    [
      'a file that no bundle has',
      changed => changed.files.set('data/extra.txt', Buffer.from('x')),
      ['altered', 'unlisted'],
    ],
    ['a program too many', changed => changed.files.set('verify/more.mjs', Buffer.from('x')), ['unlisted']],
    ['a file beside all', changed => changed.files.set('fetch.txt', Buffer.from('x')), ['unlisted']],
    ['a declaration that is none', changed => changed.edit('bagit.txt', () => 'junk\n'), ['form']],
    [
      'another sum',
      changed => changed.edit('bag-info.txt', text => text.replace(/Oxum: .*/, 'Oxum: 1.1')),
      ['altered'],
    ],
    ['two sums', changed => changed.edit('bag-info.txt', text => `${text}Payload-Oxum: 1.1\n`), ['altered']],
  ])('tells %s, though it is in the manifests', (_what, change, kinds) => {
    const changed = bundle.copy()
    change(changed)
    expect(kindsOf(changed.rehashed()).sort()).toEqual(kinds)
    expect(kindsOf(bundle.copy().rehashed())).toEqual([])
  })

  it.each<[string, (changed: MemoryBundle) => unknown, string[]]>([
    ['a row that is not proven', changed => changed.files.delete(firstProof(changed)), ['unproven']],
    [
      'a row left out',
      changed => changed.edit('data/rows.ndjson', text => text.slice(text.indexOf('\n') + 1)),
      ['missing'],
    ],
    ['a row twice', changed => changed.edit('data/rows.ndjson', text => text + text), ['unlisted']],
    [
      'a row at the end without a line feed',
      changed => changed.edit('data/rows.ndjson', text => `${text}{"event_id":"ffff","forged":true}`),
      ['form'],
    ],
    [
      'a name that is there twice',
      changed => changed.edit('data/rows.ndjson', text => text.replace('{', '{"event_name":"INSERT",')),
      ['form', 'missing'],
    ],
    ['lines that end as on Windows', changed => changed.edit('data/rows.ndjson', crlf), ['form', 'missing']],
    [
      'a verdict that is there twice',
      changed => changed.edit('data/receipt.json', text => text.replace('{', '{\n  "verdict": {},')),
      ['form'],
    ],
    ['a row that is none', changed => changed.edit('data/rows.ndjson', text => `[]\n${text}`), ['form']],
    [
      'an edited image',
      changed =>
        changed.edit(
          'data/rows.ndjson',
          editRow(row => ({ ...row, old_image: '{}' })),
        ),
      ['altered'],
    ],
    [
      'another actor',
      changed =>
        changed.edit(
          'data/rows.ndjson',
          editRow(row => ({ ...row, actor: 'eve' })),
        ),
      ['altered'],
    ],
    [
      'another key',
      changed =>
        changed.edit(
          'data/rows.ndjson',
          editRow(row => ({ ...row, item_key: '{}' })),
        ),
      ['altered'],
    ],
    [
      'another time',
      changed =>
        changed.edit(
          'data/rows.ndjson',
          editRow(row => ({ ...row, event_time: '2020-01-01 00:00:00.000' })),
        ),
      ['altered'],
    ],
    [
      'other changes',
      changed =>
        changed.edit(
          'data/rows.ndjson',
          editRow(row => ({ ...row, changed: ['x'] })),
        ),
      ['altered'],
    ],
    [
      'an image left out on the quiet',
      changed =>
        changed.edit(
          'data/rows.ndjson',
          editRow(({ old_image: _, ...row }) => ({ ...row, left_out: ['old_image'] })),
        ),
      ['altered'],
    ],
    ['another question', changed => changed.edit('data/question.sql', text => `${text}--`), ['altered']],
    [
      'another verdict',
      changed => changed.edit('data/verdict.json', text => text.replace(/"confidence": "\w+/, '"confidence": "FINE')),
      ['altered'],
    ],
    [
      'another receipt',
      changed => changed.edit('data/receipt.json', text => text.replace(/"rows": \d+/, '"rows": 3')),
      ['altered'],
    ],
    [
      'a policy that asks for a witness',
      changed =>
        changed.edit('data/log/policy', text => text.replace('quorum none', `witness w ${WITNESS_VKEY}\nquorum w`)),
      ['quorum'],
    ],
    ['another policy', changed => changed.edit('data/log/policy', () => 'log\n'), ['form']],
    [
      'a policy that names another key',
      changed => changed.edit('data/log/policy', () => `log ${OTHER_VKEY}\nquorum none\n`),
      ['key'],
    ],
    [
      'a receipt that names no file of the answer',
      changed =>
        changed.edit(
          'data/receipt.json',
          resealed(receipt => ({ ...receipt, files: [] })),
        ),
      ['altered'],
    ],
    ['a receipt without a hash, of what has none', changed => changed.edit('data/receipt.json', unhashed), ['altered']],
    [
      'a question of a receipt without one',
      changed =>
        changed
          .edit('data/question.sql', () => 'undefined\n')
          .edit(
            'data/receipt.json',
            resealed(({ statement: _, ...receipt }) => receipt),
          ),
      ['altered'],
    ],
    [
      'a verdict that has no one form, in both places',
      changed =>
        changed
          .edit('data/verdict.json', () => `${JSON.stringify({ confidence: '\ud800' }, null, 2)}\n`)
          .edit('data/receipt.json', text => unhashed(text)),
      ['altered'],
    ],
    ['another answer', changed => changed.edit('data/answer.csv', text => `${text} `), ['altered']],
  ])('tells %s, though the manifests are made anew', (_what, change, kinds) => {
    const changed = bundle.copy()
    change(changed)
    expect(kindsOf(changed.remade())).toEqual(kinds)
  })

  it('tells a row whose hashes were made right again by our own code', () => {
    const forged = bundle.copy().edit(
      'data/rows.ndjson',
      editRow(row => {
        const image = String(row.old_image).replace('{', '{"a":{"S":"b"},')
        const edited = { ...row, old_image: image, old_hash: hash('sha256', image), changed: ['a'] }
        const nulls = {
          region: null,
          actor: null,
          last_writer: null,
          user_identity: null,
          subjects: null,
          new_hash: null,
        }
        return { ...edited, row_hash: rowHash({ ...nulls, ...edited } as unknown as HashedColumns) }
      }),
    )
    expect(kindsOf(forged.copy().remade())).toEqual(['altered'])
    const leaf = (proof: string) => {
      const { old_hash: old } = JSON.parse(forged.text('data/rows.ndjson').split('\n')[0] as string)
      return proof.replace(/^= [0-9a-f]{64}$/m, `= ${old}`)
    }
    const path = firstProof(forged)
    expect(kindsOf(forged.edit(path, leaf).remade())).toContain('path')
  })

  it('tells an empty path for a size above one, of a row and of an entry', () => {
    const edit = (change: (proof: ReturnType<typeof parseRowProof>) => object) => {
      const changed = bundle.copy()
      changed.edit(firstProof(changed), text => {
        const proof = parseRowProof(text)
        return formatRowProof({ ...proof, ...change(proof) })
      })
      return kindsOf(changed.remade())
    }
    expect(edit(() => ({ path: [] }))).toEqual(['empty-path'])
    expect(edit(({ object }) => ({ object: { ...object, path: [] } }))).toEqual(['empty-path'])
    expect(edit(({ row, rows }) => ({ row: (row + 1) % rows }))).toEqual(['path'])
    expect(edit(({ object }) => ({ object: { ...object, index: 0 } }))).toEqual(['path'])
  })

  it('tells another key and a checkpoint of another origin', async () => {
    expect(kindsOf(await resigned({ seed: WITNESS_SEED }))).toEqual(['key'])
    expect(kindsOf(await resigned({ origin: 'other.example/log' }))).toEqual(['origin'])
    expect(kindsOf(await resigned({ origin: 'other.example/log' }), undefined)).toEqual(['origin'])
    expect(kindsOf(bundle, OTHER_VKEY)).toEqual(['origin'])
    expect(() => verifyBundle(bundle, 'none')).toThrow('vkey')
  })

  it('tells a proof under another checkpoint', async () => {
    const [other, changed] = [await resigned({ seed: WITNESS_SEED }), bundle.copy()]
    const path = firstProof(changed)
    changed.edit(path, () => other.text(path))
    expect(kindsOf(changed.remade())).toEqual(['key'])
  })

  it('passes under no turned bit', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = randomOf(seed)
      const changed = small.copy()
      const path = changed.list()[Math.floor(random() * changed.list().length)] as string
      const bytes = Buffer.from(changed.files.get(path) as Uint8Array)
      const at = Math.floor(random() * bytes.length)
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at)
      changed.files.set(path, bytes)
      expect({ seed, path, kinds: kindsOf(changed) }).not.toEqual({ seed, path, kinds: [] })
    }
  })

  it('passes with no turned bit in a proof or a checkpoint, though the manifests are made anew', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = randomOf(seed)
      const changed = small.copy()
      const paths = [...proofsOf(changed), 'data/log/checkpoint']
      const path = paths[Math.floor(random() * paths.length)] as string
      const bytes = Buffer.from(changed.files.get(path) as Uint8Array)
      const at = Math.floor(random() * bytes.length)
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at)
      changed.files.set(path, bytes)
      expect({ seed, path, at, kinds: kindsOf(changed.remade()) }).not.toEqual({ seed, path, at, kinds: [] })
    }
  })

  it('of an answer that counts holds every row of the period', async () => {
    const day = { from: '2026-11-19T00:00:00Z', to: '2026-11-20T00:00:00Z' }
    const counted = await bundleOf(root, 'volume-by-hour', day)
    const verdict = verifyBundle(counted, VKEY)
    expect(verdict).toMatchObject({ findings: [], proven: verdict.rows })
    expect(verdict.rows).toBeGreaterThan(10)
  })

  it('of an answer without rows has none to prove', async () => {
    const empty = await bundleOf(root, 'deletions', { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' })
    expect(verifyBundle(empty, VKEY)).toMatchObject({ findings: [], rows: 0 })
  })

  it('tells that the rows of its answer are gone, and names the verdict as not checked', async () => {
    const emptied = bundle.copy().edit('data/rows.ndjson', () => '')
    for (const path of proofsOf(emptied)) emptied.files.delete(path)
    const verdict = verifyBundle(emptied.remade(), VKEY)
    expect(verdict.findings).toHaveLength(45)
    expect(verdict.findings[0]).toMatchObject({ kind: 'missing', message: expect.stringContaining('the answer names') })
    expect(showBundle(verifyBundle(bundle, VKEY))).toMatch(/^not checked: the answer and its verdict/m)
    const empty = await bundleOf(root, 'deletions', { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' })
    expect(showBundle(verifyBundle(empty, VKEY))).toContain('nothing of its answer is proven')
  })

  it('has no file that is a link, whatever that leads to', () => {
    const folder = join(temporaryFolder(), 'bag')
    writeBundle(
      folder,
      [...small.files].map(([path, bytes]) => ({ path, bytes })),
    )
    const outside = join(temporaryFolder(), 'outside')
    for (const path of small.list()) {
      renameSync(join(folder, path), outside)
      symlinkSync(outside, join(folder, path))
      const { findings } = verifyBundle(bundleIn(folder), VKEY)
      expect(findings).toContainEqual({ kind: 'form', path, message: 'is no file' })
      rmSync(join(folder, path))
      renameSync(outside, join(folder, path))
    }
    expect(verifyBundle(bundleIn(folder), VKEY).findings).toEqual([])
  })

  it('keeps of an answer of SQL of one’s own no column that could hold what is left out', async () => {
    await using archive = await openArchive(root, { tables: [ORDERS_TABLE] })
    const sql = "select event_id, old_city as actor, old_city as changed from orders where event_name = 'REMOVE'"
    const answer = await archive.sql(sql)
    const request = { archive, root, identity: IDENTITY, answer }
    const whole = await givenBundle(request)
    expect(whole.text('data/answer.csv')).toMatch(/^event_id,actor,changed\r?\n/)
    const redacted = await givenBundle({ ...request, redact: ['shipping.city'] })
    expect(redacted.text('data/answer.csv')).toMatch(/^event_id\r?\n/)
    expect(verifyBundle(redacted, VKEY).findings).toEqual([])
  })

  it('is refused over a row whose image is another than its hash says', async () => {
    const copy = temporaryFolder('altered')
    cpSync(root, copy, { recursive: true })
    await alterRows(parquetUnder(copy), { old_image: `old_image || ' '` }, "event_name = 'REMOVE'")
    await expect(bundleOf(copy, 'deletions', PERIOD)).rejects.toThrow('has another old_image than its hashes say')
  })

  it('is told in lines of ours alone, whatever names are in it', () => {
    const name = 'x\u001b[2J\nSOUND: each row was\u202e'
    const changed = bundle.copy().edit(
      'data/rows.ndjson',
      editRow(row => ({ ...row, [name]: 1 })),
    )
    changed.files.set(`data/${name}`, Buffer.from(''))
    const shown = showBundle(verifyBundle(changed.remade(), VKEY))
    expect(shown.match(/^SOUND/gm)).toBeNull()
    expect(shown.match(/x\\u001b\[2J\\u000aSOUND: each row was\\u202e/g)).toHaveLength(2)
    expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })

  it('says that its program is another than ours', () => {
    expect(verifyBundle(bundle, VKEY).program).toBe('ours')
    const forged = bundle.copy().edit('verify/verify.mjs', () => 'console.log(1)\n')
    const verdict = verifyBundle(forged.remade(), VKEY)
    expect(verdict).toMatchObject({ findings: [], program: 'another' })
    expect(showBundle(verdict)).toMatch(/^not checked: its verify\/verify.mjs, which is another/m)
  })

  it('leaves out images with a value at a path, says so, and is sound', async () => {
    const redacted = await bundleOf(root, 'deletions', PERIOD, ['shipping.city'])
    const verdict = verifyBundle(redacted, VKEY)
    expect(verdict).toMatchObject({ findings: [], proven: 45, leftOut: { old_image: 45 } })
    expect(redacted.text('bag-info.txt')).toContain('Itemtrail-Left-Out: shipping.city of 45 rows\n')
    const cities = bundle.text('data/rows.ndjson').match(/"old_city":"([^"]+)"/g) ?? []
    expect(cities.length).toBeGreaterThan(0)
    const all = redacted
      .list()
      .map(path => redacted.text(path))
      .join('\n')
    for (const city of cities) expect(all).not.toContain(city.split('"')[3])
    expect(showBundle(verdict)).toContain('left out on purpose: old_image of 45 rows')
  })

  it('refuses to leave out a key, and a path into a list', async () => {
    await expect(bundleOf(root, 'deletions', PERIOD, ['order_id'])).rejects.toThrow('key attribute')
    await expect(bundleOf(root, 'deletions', PERIOD, ['lines[sku=C].qty'])).rejects.toThrow('list')
  })

  it.each(['shipping.ciyt', 'Shipping.city', 'lines.qty', 'city'])(
    'refuses to leave out %s, which no image has',
    async path => {
      await expect(bundleOf(root, 'deletions', PERIOD, [path])).rejects.toThrow(
        `path "${path}" is in no image of Orders`,
      )
    },
  )

  it('says of how many rows it left something out, also of none', async () => {
    const none = { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' }
    const empty = await bundleOf(root, 'deletions', none, ['shipping.city'])
    expect(empty.text('bag-info.txt')).toContain('Itemtrail-Left-Out: shipping.city of 0 rows\n')
  })

  it('is refused over rows that are not sealed yet', async () => {
    const fresh = await ordersArchive()
    await expect(bundleOf(fresh, 'deletions', PERIOD)).rejects.toThrow('no journal')
  })
})

describe('verify.mjs', () => {
  const run = (folder: string, args: readonly string[]) =>
    spawnSync(process.execPath, [join(folder, 'verify', 'verify.mjs'), ...args], {
      cwd: temporaryFolder(),
      env: NOTHING,
      encoding: 'utf8',
    })

  it('imports nothing but Node', () => {
    const imports = bundle.text('verify/verify.mjs').match(/^import .*$/gm) ?? []
    for (const line of imports) expect(line).toMatch(/ from "node:(crypto|fs|path|url)";$/)
    expect(bundle.text('verify/verify.mjs')).not.toMatch(/\bfetch\(|node:net|node:http|import\(/)
  })

  it('gives the verdict that we give, with a key and without', async () => {
    const changes = [
      bundle.copy(),
      bundle.copy().edit('data/answer.csv', text => `${text} `),
      bundle
        .copy()
        .edit(
          'data/rows.ndjson',
          editRow(row => ({ ...row, actor: 'eve' })),
        )
        .remade(),
      await resigned({ seed: WITNESS_SEED }),
      await resigned({ origin: 'other.example/log' }),
    ]
    for (const changed of changes) {
      const folder = join(temporaryFolder(), 'bag')
      writeBundle(
        folder,
        [...changed.files].map(([path, bytes]) => ({ path, bytes })),
      )
      const key = join(temporaryFolder(), 'seal.key.vkey')
      writeFileSync(key, `${VKEY}\n`)
      for (const [args, vkey] of [
        [[], undefined],
        [['--key', VKEY], VKEY],
        [['--key', key], VKEY],
      ] as const) {
        const ours = verifyBundle(bundleIn(folder), vkey)
        const theirs = run(folder, args)
        expect(theirs.stderr).toBe('')
        expect(theirs.stdout).toBe(showBundle(ours))
        expect(theirs.status).toBe(ours.findings.length === 0 ? 0 : 1)
        expect(JSON.parse(run(folder, [...args, '--json']).stdout)).toEqual(ours)
      }
    }
  })

  it('follows no link, and says how it is used', () => {
    const folder = join(temporaryFolder(), 'bag')
    writeBundle(
      folder,
      [...bundle.files].map(([path, bytes]) => ({ path, bytes })),
    )
    symlinkSync('/etc/hostname', join(folder, 'data', 'link'))
    expect(run(folder, []).stdout).toMatch(/unlisted +data\/link/)
    expect(run(folder, ['--keys']).status).toBe(2)
    expect(run(folder, ['--key', 'x']).status).toBe(2)
    expect(run(folder, ['nowhere']).status).toBe(3)
    const secret = fileOf('seal.key', `PRIVATE+KEY+${ORIGIN}+0a1b2c3d+AdZ7seedseedseedseedseedseedseedseedseedseed\n`)
    const { stderr, status } = run(folder, ['--key', secret])
    expect({ stderr, status }).toEqual({ stderr: expect.stringContaining('key is one that signs'), status: 2 })
    expect(run(folder, [readFileSync(secret, 'utf8')]).stderr).not.toContain('seed')
    expect(() => writeBundle(folder, [])).toThrow('not empty')
  })
})

// a process for each line of each proof, several times: a machine that others use takes minutes
describe('HOWTO.txt', { timeout: 600_000 }, () => {
  const commands = readFileSync(new URL('../../evidence/HOWTO.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter(line => line.startsWith('    ') && !line.includes('node verify'))
    .join('\n')

  const byHand = (changed: MemoryBundle, env = {}) => {
    const folder = join(temporaryFolder(), 'bag')
    writeBundle(
      folder,
      [...changed.files].map(([path, bytes]) => ({ path, bytes })),
    )
    return spawnSync('sh', ['-c', commands], { cwd: folder, env: { ...NOTHING, ...env }, encoding: 'utf8' })
  }

  it('has commands that check a bundle as they stand', () => {
    const { stdout, stderr } = byHand(small, { KEY: VKEY })
    expect(stderr).toBe('')
    for (const line of [
      'payload: as listed',
      'tag files: as listed',
      'no links',
      'payload: nothing more',
      'other files: nothing more',
      'a proof for each row',
      'Signature Verified Successfully',
      `checkpoint: of ${ORIGIN}`,
    ])
      expect(stdout).toContain(line)
    expect(stdout.match(/^proven: /gm)).toHaveLength(proofsOf(small).length)
    expect(stdout).not.toContain('BROKEN')
    expect(byHand(small).stdout).toContain('Signature Verified Successfully')
  })

  it('has commands that find what is wrong', async () => {
    const edited = byHand(small.copy().edit('data/answer.csv', text => `${text} `))
    expect(edited.stdout).not.toContain('payload: as listed')
    const more = small.copy()
    more.files.set('data/more', Buffer.from(''))
    expect(byHand(more).stdout).not.toContain('payload: nothing more')
    expect(byHand(more.remade()).stdout).not.toContain('other files: nothing more')
    const [proof] = proofsOf(small) as [string]
    const turned = small.copy().edit(proof, text => text.replace(/^= (\d)(\d+)$/m, (_, a, rest) => `= ${9 - a}${rest}`))
    expect(byHand(turned.remade()).stdout).toContain(`BROKEN: ${proof}`)
    const foreign = byHand(await resigned({ seed: WITNESS_SEED }, small), { KEY: VKEY })
    expect(foreign.stdout).toContain('Signature Verification Failure')
  })
})
