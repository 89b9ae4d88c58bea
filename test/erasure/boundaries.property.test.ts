/** Persons erased, renewed and forgotten at any time, under any configuration, while changes are lost or not. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ERASABLE, makePlace, orderOf, recordOf } from './orders.js'

type Act =
  | {
      readonly kind: 'change'
      readonly item: string
      readonly name: string
      readonly bob: string
      readonly lost: boolean
    }
  | { readonly kind: 'erase'; readonly id: string }
  | { readonly kind: 'renew'; readonly id: string }
  | { readonly kind: 'configure'; readonly erasable: number }

const CONFIGURATIONS = [
  ERASABLE,
  [{ subject: 'buyer.id', attributes: ['buyer.*', 'lines.*.note'] }],
  [{ subject: 'seller.id', attributes: ['seller.name', 'buyer'] }],
]
const ITEMS = ['o1', 'o2']

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      item: fc.constantFrom(...ITEMS),
      name: fc.constantFrom('Ann Secret', 'Ann Other'),
      bob: fc.constantFrom('Bob Shop', 'Bob Shed'),
      lost: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('erase' as const, 'renew' as const),
      id: fc.constantFrom('u-1', 'u-2'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('configure' as const), erasable: fc.nat(2) }) },
)

/** Does it all, and returns the items of which a change is lost between two others. */
async function perform(
  acts: readonly Act[],
  place: Awaited<ReturnType<typeof makePlace>>,
): Promise<ReadonlySet<string>> {
  const images = new Map<string, object>()
  const pending = new Set<string>()
  const broken = new Set<string>()
  let number = 0
  for (const each of acts) {
    if (each.kind === 'erase') await place.erase(each.id)
    else if (each.kind === 'renew') await place.ask('subject', 'renew', each.id)
    else if (each.kind === 'configure') place.configure(CONFIGURATIONS[each.erasable])
    else {
      const { item, name, bob, lost } = each
      const before = images.get(item) ?? null
      // every change is of something that no configuration seals, so that each loss can be told
      const after = orderOf(item, `state ${++number}`, name, bob)
      images.set(item, after)
      if (lost && before !== null) pending.add(item)
      else {
        if (pending.delete(item)) broken.add(item)
        await place.ingest([recordOf(number, item, before, after)])
      }
    }
  }
  return broken
}

it('tells every loss, blames no erasure for one, and says the same by SQL and by the fold', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 14 }), async acts => {
      const place = await makePlace()
      const broken = await perform(acts, place)
      const found = acts.flatMap(each => (each.kind === 'change' ? [each.item] : []))
      if (found.length === 0) return
      const verified = JSON.parse((await place.ask('verify', 'continuity', 'Orders', '--format', 'json')).out)[0]
      for (const item of new Set(found)) {
        const { confidence, findings } = await place.askJson('history', 'Orders', item)
        const own = verified.findings.filter(
          ({ item_key: key }: { item_key: { id: { S: string } } }) => key.id.S === item,
        )
        expect(own.map((each: { finding: string }) => each.finding).sort()).toEqual(
          findings.map((each: { finding: string }) => each.finding).sort(),
        )
        expect(confidence === 'GAP', `${item} ${confidence}`).toBe(broken.has(item))
      }
    }),
    { numRuns: 6, seed: 16, endOnFailure: true },
  )
}, 120_000)
