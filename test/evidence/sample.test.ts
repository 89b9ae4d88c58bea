import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBuilt } from '../../evidence/built-file.js'
import { checkRowProof, type ProvenEvent, proveEvent, proveEvents } from '../../evidence/give-evidence.js'
import { drawSample, SAMPLE_COLUMNS } from '../../evidence/sample.js'
import { showProven } from '../../evidence/show-proof.js'
import { verifyBundle } from '../../evidence/verify-bundle.js'
import type { OpenArchive } from '../../library/archive.js'
import { openArchive } from '../../library/open-archive.js'
import { parseVkey } from '../../proof/note.js'
import { makeReceipt } from '../../queries/answers/receipt.js'
import { rerun } from '../../queries/answers/rerun.js'
import { openDuckDb } from '../../queries/engines/duckdb-instance.js'
import { IDENTITY, sealFolder } from '../journal/desk-journal.js'
import { VKEY } from '../proof/vectors.js'
import { givenBundle, ORDERS_TABLE, OTHER_VKEY, ordersArchive } from './sealed-orders.js'

const FROM = Date.UTC(2026, 10, 1) * 1000
const TO = Date.UTC(2026, 10, 20) * 1000

let root: string
let archive: OpenArchive
beforeAll(async () => {
  root = await ordersArchive()
  await sealFolder(root)
  archive = await openArchive(root, { tables: [ORDERS_TABLE] })
})
afterAll(() => archive.close())

describe('a sample', () => {
  it('takes what anybody draws who hashes the seed and the ids', async () => {
    const { answer, population, title } = await drawSample(archive, ORDERS_TABLE, {
      n: 25,
      seed: 'q4',
      fromUs: FROM,
      toUs: TO,
    })
    const all = await archive.run('changes-between', 'Orders', {
      from: '2026-11-01T00:00:00Z',
      to: '2026-11-20T00:00:00Z',
    })
    const ids = [...all].map(row => String(row.event_id))
    const drawn = ids.sort((a, b) => (hash('sha256', `q4${a}`) < hash('sha256', `q4${b}`) ? -1 : 1)).slice(0, 25)
    expect([...answer].map(row => row.event_id)).toEqual(drawn)
    expect(population).toBe(ids.length)
    expect(title).toContain(`25 of ${ids.length} changes of Orders`)
    expect([...answer][0]).toMatchObject({ draw: 1n, drawn_by: hash('sha256', `q4${drawn[0]}`) })
  })

  it('is drawn by the SQL of the documentation, in plain DuckDB', async () => {
    const docs = readFileSync(new URL('../../docs/evidence.md', import.meta.url), 'utf8')
    const [, sql = ''] = /```sql\n(.*?)```/s.exec(docs) ?? []
    const instance = await openDuckDb()
    const connection = await instance.connect()
    const reader = await connection.runAndReadAll(sql.replace("'SEED'", "'q4'").replace("'archive/", `'${root}/`))
    instance.closeSync()
    const { answer } = await drawSample(archive, ORDERS_TABLE, { n: 25, seed: 'q4', fromUs: FROM, toUs: TO })
    expect(reader.getRows()).toEqual([...answer].map(row => [row.event_id, row.drawn_by]))
  })

  it('says whether its population is whole, and draws others by another seed', async () => {
    const request = { n: 5, seed: 'q4', fromUs: FROM, toUs: TO }
    const [one, other] = [
      await drawSample(archive, ORDERS_TABLE, request),
      await drawSample(archive, ORDERS_TABLE, { ...request, seed: 'q3' }),
    ]
    expect(one.verdict?.tables[0]).toMatchObject({ table: 'Orders', fromUs: FROM, toUs: TO })
    expect([...one.answer].map(row => row.event_id)).not.toEqual([...other.answer].map(row => row.event_id))
    expect(await drawSample(archive, ORDERS_TABLE, { ...request, n: 100_000 })).toMatchObject({
      answer: { length: one.population },
    })
    await expect(drawSample(archive, ORDERS_TABLE, { ...request, n: 0 })).rejects.toThrow('n is 0')
    await expect(drawSample(archive, ORDERS_TABLE, { ...request, toUs: FROM })).rejects.toThrow('empty')
  })

  it('becomes a working paper that verifies, and can be drawn again from its receipt', async () => {
    const { answer, verdict, title } = await drawSample(archive, ORDERS_TABLE, {
      n: 7,
      seed: 'it\'s "q4"',
      fromUs: FROM,
      toUs: TO,
    })
    const receipt = await makeReceipt(answer, archive, { verdict })
    const request = { archive, root, identity: IDENTITY, answer, receipt, title, plainColumns: SAMPLE_COLUMNS }
    const paper = await givenBundle(request)
    expect(verifyBundle(paper, VKEY, readBuilt('verify.mjs'))).toMatchObject({ findings: [], rows: 7, proven: 7 })
    expect(paper.text('data/report.html')).toContain('7 of ')
    expect(paper.text('data/question.sql')).toContain('sha256')
    expect(await rerun(JSON.parse(paper.text('data/receipt.json')), archive, { trustSql: true })).toMatchObject({
      outcome: 'same',
    })
    const redacted = await givenBundle({ ...request, redact: ['status'] })
    expect(verifyBundle(redacted, VKEY, readBuilt('verify.mjs'))).toMatchObject({ findings: [], proven: 7 })
    expect(redacted.text('data/answer.csv').split('\r\n')[0]).toBe(
      'draw,population,event_time,event_name,item_key,changed,actor,actor_source,event_id,event_time_us,drawn_by',
    )
  })
})

describe('a proof of one event', () => {
  it('is found by the beginning of its id, and shows what it is of', async () => {
    const [first] = (await archive.run('deletions', 'Orders')).rows()
    const id = String(first?.event_id)
    const found = await proveEvent(root, IDENTITY, ORDERS_TABLE, id.slice(0, 12))
    expect(found?.eventId).toBe(id)
    expect(await proveEvents(root, IDENTITY, ORDERS_TABLE, [id])).toEqual([found])
    expect(await proveEvent(root, IDENTITY, ORDERS_TABLE, 'xyz')).toBeUndefined()
    expect(await proveEvent(root, IDENTITY, ORDERS_TABLE, 'f'.repeat(32))).toBeUndefined()
    await expect(proveEvent(root, IDENTITY, ORDERS_TABLE, '')).rejects.toThrow('is the beginning of several ids')
    const { proof } = found as ProvenEvent
    const shown = showProven(checkRowProof(proof, parseVkey(VKEY)))
    for (const line of [`event    ${id}`, 'kind     REMOVE', 'table    Orders', 'PROVEN: '])
      expect(shown).toContain(line)
    expect(() => checkRowProof(proof, parseVkey(OTHER_VKEY))).toThrow('expected "other.example/log"')
  })
})
