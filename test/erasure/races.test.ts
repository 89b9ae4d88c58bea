/** An erasure beside processes that seal, one of them with the key in its memory, and beside an old copy of the keys. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readConfiguration } from '../../config/configuration.js'
import { eraseSubject } from '../../erasure/erase.js'
import { FolderFences } from '../../erasure/fences.js'
import { FolderKeys } from '../../erasure/folder-keys.js'
import { sealingOf } from '../../erasure/seal-image.js'
import { keptRows } from '../../erasure/subject-rows.js'
import { DiskArchive } from '../../store/folder.js'
import { type AttributeValue, parseItem } from '../../transform/attribute-value.js'
import { readSealed, type SealedField } from '../../transform/sealed-field.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { LIFE, makePlace, orderOf } from './orders.js'

const ITEM = orderOf('o1', 'NEW')

/** A process: its own view of archive and keys, and what it sealed when. */
function processOf(place: { archive: string; keys: string; table: TableConfiguration }, now: () => number) {
  const fences = new FolderFences(place.archive)
  const keys = FolderKeys.open(place.keys, name => fences.of(name), now)
  const seal = sealingOf(place.table, keys)
  const sealed: { readonly field: SealedField; readonly at: number }[] = []
  return {
    keys,
    sealed,
    seal: () => {
      const { item } = seal.image(parseItem(JSON.stringify(ITEM)), 'once', '{"id":{"S":"o1"}}')
      const name = (item.buyer as { M: Record<string, AttributeValue> }).M.name as AttributeValue
      sealed.push({ field: readSealed(name) as SealedField, at: now() })
    },
  }
}

/** The archive of who erases: others run between any two of its steps. */
function scheduledArchive(root: string, s: fc.Scheduler): DiskArchive {
  const archive = new DiskArchive(root)
  return new Proxy(archive, {
    get: (target, name) => {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'put' && name !== 'survey') return value.bind(target)
      return async (...given: unknown[]) => {
        await s.schedule(Promise.resolve(), String(name))
        return value.apply(target, given)
      }
    },
  })
}

it('lets no key come back, whoever seals meanwhile and whatever copy of the keys is put back', async () => {
  const made = await makePlace()
  await made.ingest(LIFE)
  const table = readConfiguration(made.config).tables.get('Orders') as TableConfiguration
  let round = 0
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.constantFrom('seal', 'seal by another', 'look', 'put back'), { minLength: 4, maxLength: 12 }),
      async (s, acts) => {
        const [archive, keys, copy] = ['archive', 'keys', 'copy'].map(name =>
          join(made.folder, `${name}-${round}`),
        ) as [string, string, string]
        round++
        for (const [from, to] of [
          [made.archive, archive],
          [made.keys, keys],
          [made.keys, copy],
        ] as const)
          cpSync(from, to, { recursive: true })
        const clock = { now: Date.UTC(2026, 10, 29) }
        const now = () => clock.now
        const place = { archive, keys, table }
        const [eraser, first, second] = [processOf(place, now), processOf(place, now), processOf(place, now)]
        // it has the key in its memory
        first.seal()
        const token = eraser.keys.tokenOf('u-1')
        const scheduled = scheduledArchive(archive, s)
        const erasing = eraseSubject(
          {
            archive: scheduled,
            keys: eraser.keys,
            tables: ['Orders'],
            rows: of => keptRows(scheduled, of),
            sealed: async () => new Set<string>(),
            refused: [{ at: '', objects: scheduled }],
            now,
          },
          { id: 'u-1', reason: 'asked', ticket: null, by: 'test' },
        )
        for (const act of acts)
          void s.schedule(Promise.resolve(), act).then(() => {
            clock.now += 1000
            if (act === 'seal') first.seal()
            else if (act === 'seal by another') second.seal()
            else if (act === 'look') second.keys.find({ token, generation: 1 })
            else cpSync(join(copy, 'subjects'), join(keys, 'subjects'), { recursive: true })
          })
        await s.waitFor(erasing)
        await s.waitIdle()
        clock.now += eraser.keys.lingersMs + 1
        for (const each of [first, second, processOf(place, now)]) {
          each.seal()
          expect(each.sealed.at(-1)?.field).toMatchObject({ ciphertext: '' })
          expect(each.keys.newest(token)).toEqual({ state: 'erased', generation: 1 })
        }
        // whatever was put back, the first look has destroyed it
        const folder = join(keys, 'subjects', token.slice(0, 2))
        for (const name of readdirSync(folder).filter(file => file.startsWith(token)))
          expect(readFileSync(join(folder, name), 'utf8')).not.toContain('wrapped')
        expect(existsSync(join(folder, `${token}.2.json`))).toBe(false)
        for (const path of [archive, keys, copy]) rmSync(path, { recursive: true })
      },
    ),
    { numRuns: 40, seed: 15 },
  )
})
