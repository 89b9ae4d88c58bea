/** What readers see of what is sealed: those who have the keys, those who have not, and everybody after an erasure. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LIFE, makePlace, orderOf } from './orders.js'

const EVER = '2030-01-01T00:00:00Z'

/** Every way to ask, as a program asks. */
const QUESTIONS = [
  ['history', 'Orders', 'o1'],
  ['as-of', 'Orders', 'o1', EVER],
  ['as-of', 'Orders', EVER],
  ['diff', 'Orders', 'o1', '--from', '2026-09-21T14:13:21Z', '--to', EVER],
  ['query', 'item-history', 'Orders', '--param', 'item_key=o1'],
  ['sql', 'select old_image, new_image from orders'],
]

describe('what is sealed', () => {
  it('is opened for who has the keys, in every format, and for nobody who does not ask', async () => {
    const { ask, ingest } = await makePlace()
    await ingest(LIFE)
    for (const question of QUESTIONS) {
      const found = async (format: string, ...more: readonly string[]) => {
        const { out, err, exit } = await ask(...question, '--format', format, ...more)
        expect(exit, `${question.join(' ')} ${format} ${err}`).toBe(0)
        return out
      }
      expect(await found('json'), question.join(' ')).not.toContain('Ann Other')
      for (const format of ['json', 'csv', 'html'])
        expect(await found(format, '--reveal'), `${question.join(' ')} ${format}`).toContain('Ann Other')
    }
  })

  it('is told to be there by who looks for a value, and never said to be nowhere', async () => {
    const { ask, askJson, ingest } = await makePlace([{ subject: 'seller.id', attributes: ['buyer', 'lines.*.note'] }])
    await ingest(LIFE)
    const told = (places: string) => `values of Orders at ${places} are sealed, and were not looked into`
    const anywhere = await ask('find', 'Orders', 'Ann Secret')
    expect(anywhere.out).toContain('in clear, no image in the archive has this value')
    expect(anywhere.err).toContain(told('buyer, lines.*.note'))
    const there = await ask('find', 'Orders', 'Ann Secret', '--attribute', 'buyer.name')
    expect([there.out, there.err].join('')).toContain('in clear, this value never stood at buyer.name')
    expect(there.err).toContain(told('buyer'))
    expect((await askJson('find', 'Orders', 'x', '--attribute', 'lines[0].note')).sealed).toEqual(['lines.*.note'])
    expect((await askJson('find', 'Orders', 'PAID', '--attribute', 'status')).sealed).toEqual([])
    const asked = await ask('query', 'items-with-value', 'Orders', 'value=Ann Secret')
    expect(asked.out).toContain('in clear, no image')
    expect(asked.err).toContain(told('buyer, lines.*.note'))
    const within = await ask('query', 'changes-by-attribute', 'Orders', 'attribute=buyer.name')
    expect([within.exit, within.err]).toEqual([2, expect.stringContaining('which is sealed as a part of buyer')])
  })

  it('is the very item that there was', async () => {
    const { ingest, askJson } = await makePlace()
    await ingest(LIFE)
    const found = await askJson('as-of', 'Orders', 'o1', EVER, '--reveal')
    expect(found.item).toEqual(orderOf('o1', 'PAID', 'Ann Other'))
    expect(found.confidence).toBe('UNBROKEN')
  })

  it('is told to be erased, when and by which certificate, and is never not found', async () => {
    const { ingest, erase, ask, askJson } = await makePlace()
    await ingest(LIFE)
    const [{ certificate, destroyed }] = JSON.parse((await erase('u-1')).out).certificates
    const day = destroyed.slice(0, 10)
    const told = `[erased ${day}, certificate ${certificate}`
    for (const question of QUESTIONS.slice(0, 4)) {
      const page = await ask(...question)
      expect(page.exit, `${question.join(' ')} ${page.out} ${page.err}`).toBe(0)
      expect(page.out, question.join(' ')).toContain(told)
    }
    // what changed is told, though not from what to what
    expect((await ask('history', 'Orders', 'o1')).out).toContain(`~ buyer.name  ${told}] → ${told}]`)
    const { item } = await askJson('as-of', 'Orders', 'o1', EVER, '--reveal')
    expect(item.buyer.M.email).toEqual({
      M: {
        $erased: { S: day },
        certificate: { S: certificate },
        sealed: { S: expect.stringMatching(/^.{6}$/) },
        keep: { S: 'secret.example' },
      },
    })
    expect(item.seller.M.name).toEqual({ S: 'Bob Shop' })
    expect(
      (await ask('query', 'item-history', 'Orders', '--param', 'item_key=o1', '--reveal', '--format', 'csv')).out,
    ).toContain('$erased')
  })

  it('is no part of a receipt, and is not asked for where there are no keys', async () => {
    const { folder, keys, ingest, ask } = await makePlace()
    await ingest(LIFE)
    const receipt = join(folder, 'receipt.json')
    expect(await ask('history', 'Orders', 'o1', '--reveal', '--receipt', receipt)).toMatchObject({
      exit: 2,
      err: expect.stringContaining('a receipt, and evidence, are of what is stored'),
    })
    rmSync(keys, { recursive: true })
    const lost = await ask('history', 'Orders', 'o1', '--reveal')
    expect(lost.exit).not.toBe(0)
    expect(lost.err).toContain('is not there: itemtrail subject init makes one')
  })

  it('is found by the person, of whom only the token goes into the question', async () => {
    const { ingest, erase, askJson, ask } = await makePlace()
    await ingest(LIFE)
    const token = (await ask('subject', 'token', 'u-1')).out.trim()
    const find = (id: string) => askJson('query', 'changes-of-subject', 'Orders', '--subject', id)
    expect((await find('u-1')).rows.map((row: { event_name: string }) => row.event_name)).toEqual([
      'INSERT',
      'MODIFY',
      'MODIFY',
    ])
    expect((await find('u-1')).rows[0].subjects).toContain(token)
    expect((await find('nobody')).rows).toEqual([])
    await erase('u-1')
    expect((await find('u-1')).rows).toHaveLength(3)
    expect(await ask('query', 'deletions', 'Orders', '--subject', 'u-1')).toMatchObject({ exit: 2 })
  })
})
