/** What a restore takes to open values that are sealed: keys, and what the archive knows of them. */
import { existsSync } from 'node:fs'
import type { Configuration } from '../../config/configuration.js'
import { type Unsealing, unsealImage, unsealingOf } from '../../erasure/reveal.js'
import type { ReadingKeys } from '../../erasure/subject-keys.js'
import { erasureOf, erasuresOf, type KnownErasures } from '../../queries/verdict/erasures.js'
import type { OpenedImage, SealedItems } from '../../restore/restore-plan.js'
import { DiskArchive } from '../../store/folder.js'
import { keptConfigurations } from '../../store/kept-configurations.js'
import { readFacts } from '../../store/kept-facts.js'
import { canonicalImage, parseItem } from '../../transform/attribute-value.js'
import { keysNamedIn, type SealedField, type Sealing } from '../../transform/sealed-field.js'
import { type TableConfiguration, underKeys } from '../../transform/table-configuration.js'
import type { Io, Options } from '../io.js'
import { printable } from '../show/text.js'
import { keyFolder, openKeyStore, stackKeysOf } from './key-store.js'

/**
 * How sealed values of a table open; undefined where it has no erasable ones, or no keys are at hand, which is told.
 * Throws what keeps keys from being opened.
 */
export async function sealedItemsOf(
  table: TableConfiguration,
  { configuration, root }: { readonly configuration: Configuration | undefined; readonly root: string },
  options: Options,
  io: Io,
): Promise<SealedItems | undefined> {
  if (table.erasable === undefined) return undefined
  const opened = await openKeys(table, configuration, root, options, io)
  if (opened === undefined) return undefined
  const archive = new DiskArchive(root)
  const [versions, facts] = await Promise.all([
    keptConfigurations(archive, table.table),
    readFacts(archive, table.table),
  ])
  const unseal = unsealingOf([...versions, table], opened.keys)
  return sealedBy(opened, unseal, erasuresOf(facts))
}

interface Keys {
  /** The table with what seals its values. */
  readonly table: TableConfiguration
  readonly keys: ReadingKeys
}

async function openKeys(
  table: TableConfiguration,
  configuration: Configuration | undefined,
  root: string,
  options: Options,
  io: Io,
): Promise<Keys | undefined> {
  const ofStack = await stackKeysOf(table, options, { mayMake: false })
  if (ofStack !== undefined) return ofStack
  const folder = keyFolder(configuration, root)
  if (existsSync(folder)) return { table, keys: openKeyStore(configuration, root) }
  io.err(
    `key store ${printable(folder)} is not there, so what is sealed is skipped; --keys-of STACK takes the keys of a stack\n`,
  )
  return undefined
}

function sealedBy({ table, keys }: Keys, unseal: Unsealing, erasures: KnownErasures): SealedItems {
  return {
    open: async images => {
      await keys.fetch(keysNamedIn(images))
      return images.map(image => openImage(image, unseal, field => whyClosed(field, keys, erasures)))
    },
    hide: images =>
      underKeys(table, ({ seal }) =>
        images.map(({ key, image }) => {
          const { item } = (seal as Sealing).image(parseItem(image), 'once', key)
          return canonicalImage(item)
        }),
      ),
  }
}

function openImage(image: string, unseal: Unsealing, why: (field: SealedField) => string): OpenedImage {
  let reason: string | undefined
  const opened = unsealImage(image, (field, ...at) => {
    const value = unseal(field, ...at)
    if (value === undefined) reason ??= why(field)
    return value
  })
  return reason === undefined ? { kind: 'open', image: opened } : { kind: 'closed', reason }
}

function whyClosed(field: SealedField, keys: ReadingKeys, erasures: KnownErasures): string {
  const { destroyed, certificate } = erasureOf(field, erasures) ?? {}
  if (destroyed && certificate)
    return `ERASED: a value of it is unreadable since ${destroyed.slice(0, 10)}, certificate ${certificate}`
  if (field.ciphertext === '') return 'ERASED: a value of it came after its person was erased, and was not kept'
  return keys.find(field)?.state === 'erased'
    ? 'ERASED: the key of a value of it is destroyed, and no certificate is here that tells of it'
    : 'SEALED: none of the keys that are at hand opens a value of it'
}
