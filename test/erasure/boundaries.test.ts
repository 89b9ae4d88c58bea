/** What a chain is called where an erasure, or another configuration, is why it breaks. */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ERASABLE, LATER, LIFE, makePlace, orderOf, recordOf } from './orders.js'

type Place = Awaited<ReturnType<typeof makePlace>>

/** The word of every way to ask: they have to agree. */
async function wordsOf({ ask, askJson }: Place) {
  const verified = await ask('verify', 'continuity', 'Orders', '--format', 'json')
  const { verdicts, findings } = JSON.parse(verified.out)[0] ?? JSON.parse(verified.out)
  const history = await askJson('history', 'Orders', 'o1')
  const queried = await ask('query', 'continuity', 'Orders', '--format', 'json')
  const asOf = await askJson('as-of', 'Orders', 'o1', '2030-01-01T00:00:00Z')
  return {
    verify: Object.keys(verdicts).filter(word => verdicts[word] > 0),
    history: history.confidence,
    asOf: asOf.confidence,
    exit: verified.exit,
    queried: queried.exit,
    words: JSON.parse(queried.out).rows.map(({ finding }: { finding: string }) => finding),
    findings,
  }
}

const said = (word: string, exit: number) => ({
  verify: [word.toLowerCase().replace('-', '_')],
  history: word,
  asOf: word,
  exit,
  queried: exit,
  words: word === 'UNBROKEN' ? [] : [word],
})

describe('a change after an erasure', () => {
  it('is linked by all that can be compared, and says by which certificate the rest cannot be', async () => {
    const place = await makePlace()
    await place.ingest(LIFE)
    const [{ certificate }] = JSON.parse((await place.erase('u-1')).out).certificates
    await place.ingest([LATER])
    const words = await wordsOf(place)
    expect(words).toMatchObject(said('ERASED', 0))
    expect(words.findings).toMatchObject([{ finding: 'ERASED', certificates: [certificate] }])
    const history = await place.ask('history', 'Orders', 'o1')
    expect(history.out.replaceAll(/\s+/g, ' ')).toContain(`certificate ${certificate}) nothing can be`)
    expect(history.exit).toBe(0)
  })

  it('stays a gap where a change is lost there that can be told from what is clear', async () => {
    const place = await makePlace()
    await place.ingest(LIFE)
    await place.erase('u-1')
    await place.ingest([recordOf(5, 'o1', orderOf('o1', 'PACKED', 'Ann Other'), orderOf('o1', 'SENT', 'Ann Other'))])
    expect(await wordsOf(place)).toMatchObject(said('GAP', 1))
  })

  it('stays a gap where the lost change was of somebody else, who can be compared', async () => {
    const place = await makePlace()
    await place.ingest(LIFE)
    await place.erase('u-1')
    const [before, after] = ['PAID', 'SENT'].map(status => orderOf('o1', status, 'Ann Other', 'Bob Shed')) as [
      object,
      object,
    ]
    await place.ingest([recordOf(5, 'o1', before, after)])
    expect(await wordsOf(place)).toMatchObject(said('GAP', 1))
  })

  it('is a gap where it was lost before the erasure, though only what was erased differs', async () => {
    const place = await makePlace()
    await place.ingest([LIFE[0], LIFE[1]] as object[])
    await place.ingest([LATER])
    await place.erase('u-1')
    expect(await wordsOf(place)).toMatchObject(said('GAP', 1))
  })

  it('is a gap where no fact of the archive tells of an erasure', async () => {
    const place = await makePlace()
    await place.ingest(LIFE)
    await place.erase('u-1')
    await place.ingest([LATER])
    const facts = join(place.archive, 'facts', 'Orders')
    for (const name of readdirSync(facts)) rmSync(join(facts, name))
    expect(await wordsOf(place)).toMatchObject(said('GAP', 1))
  })

  it('is told of a second life by what ended the first', async () => {
    const place = await makePlace()
    await place.ingest(LIFE)
    await place.erase('u-1')
    expect((await place.ask('subject', 'renew', 'u-1')).exit).toBe(0)
    await place.ingest([LATER])
    expect(await wordsOf(place)).toMatchObject(said('ERASED', 0))
  })

  it('is no gap where records of before come again, of which either row may count', async () => {
    const place = await makePlace()
    await place.ingest(LIFE)
    await place.erase('u-1')
    await place.ingest(LIFE)
    const { verify, exit } = await wordsOf(place)
    expect(['erased', 'unbroken']).toContain(verify[0])
    expect(exit).toBe(0)
  })

  it('is no conflict where records of before come again in a second life, and one where they say something else', async () => {
    const place = await makePlace()
    await place.ingest(LIFE)
    await place.erase('u-1')
    expect((await place.ask('subject', 'renew', 'u-1')).exit).toBe(0)
    await place.ingest(LIFE)
    const { verify, history, exit, words } = await wordsOf(place)
    expect(['erased', 'unbroken']).toContain(verify[0])
    expect(['ERASED', 'UNBROKEN']).toContain(history)
    expect(exit).toBe(0)
    expect(words.filter((word: string) => word !== 'ERASED')).toEqual(['DUPLICATE', 'DUPLICATE', 'DUPLICATE'])
    await place.ingest([{ ...LIFE[1], userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } }])
    expect(await wordsOf(place)).toMatchObject({ verify: ['conflict'], history: 'CONFLICT', asOf: 'CONFLICT', exit: 1 })
  }, 60_000)
})

describe('a table whose erasable values are others', () => {
  const makeClear = async () => {
    const place = await makePlace()
    place.configure(undefined)
    return place
  }

  it('is linked by all that can be compared', async () => {
    const place = await makeClear()
    await place.ingest(LIFE)
    place.configure(ERASABLE)
    await place.ingest([LATER])
    expect(await wordsOf(place)).toMatchObject(said('CONFIG-BOUNDARY', 0))
  })

  it('keeps a gap in what stayed clear, and in the length of what is sealed', async () => {
    for (const before of [
      orderOf('o1', 'PACKED', 'Ann Other'),
      orderOf('o1', 'PAID', 'Ann Other, of the long house at the very end of the long road'),
    ]) {
      const place = await makeClear()
      await place.ingest(LIFE)
      place.configure(ERASABLE)
      await place.ingest([recordOf(5, 'o1', before, orderOf('o1', 'SENT', 'Ann Other'))])
      expect(await wordsOf(place)).toMatchObject(said('GAP', 1))
    }
  })

  it('keeps a gap in a value that both seal alike, where another is sealed newly', async () => {
    const place = await makePlace([{ subject: 'buyer.id', attributes: ['buyer.name'] }])
    await place.ingest(LIFE)
    place.configure(ERASABLE)
    await place.ingest([recordOf(5, 'o1', orderOf('o1', 'PAID', 'Ann Third'), orderOf('o1', 'SENT', 'Ann Third'))])
    expect(await wordsOf(place)).toMatchObject(said('GAP', 1))
  })

  it('is linked where only what is kept in clear is another', async () => {
    const place = await makePlace([{ subject: 'buyer.id', attributes: ['buyer.email'] }])
    await place.ingest(LIFE)
    place.configure([{ subject: 'buyer.id', attributes: [{ attribute: 'buyer.email', keep: 'domain' }] }])
    await place.ingest([LATER])
    expect(await wordsOf(place)).toMatchObject(said('CONFIG-BOUNDARY', 0))
  })
})
