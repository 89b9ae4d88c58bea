import {
  type AttributeValue,
  type BinaryEncoding,
  canonicalValue,
  type Item,
  valueAt,
} from '../transform/attribute-value.js'
import { actorOf } from '../transform/change.js'
import { replaceKeys } from '../transform/personal-key.js'
import { erasedMark, type SealedItem, type Sealing, writeSealed } from '../transform/sealed-field.js'
import type {
  AttributePath,
  ErasableSubject,
  ErasableValue,
  TableConfiguration,
} from '../transform/table-configuration.js'
import { sealText } from './field.js'
import { keptOf } from './keep.js'
import type { SubjectKeys } from './subject-keys.js'

/** How rows of a table are sealed under these keys. */
export function sealingOf(table: TableConfiguration, keys: SubjectKeys): Sealing {
  const key = keySealing(table, keys)
  // the image after a change has most values of the one before; of no other image anything is kept
  let known: ReadonlyMap<string, string> = new Map()
  return {
    key,
    // whose an item is may be what its key says, so that goes last
    image: (item, binary, itemKey) => {
      const made = new Map<string, string>()
      const sealed = sealValues(item, table, { binary, keys, itemKey, known, made })
      known = made
      return { ...sealed, item: key(sealed.item, binary) }
    },
  }
}

/** How keys of a table are sealed, by who knows of a person nothing but the token. */
export function keySealing(table: TableConfiguration, keys: Pick<SubjectKeys, 'tokenOf'>): Sealing['key'] {
  const { table: name, keyIsPersonal } = table
  if (keyIsPersonal === undefined) return key => key
  return (key, binary) =>
    replaceKeys(key, keyIsPersonal, binary, (attribute, text) => keys.tokenOf(keyName(name, attribute, text)))
}

/**
 * What the token of a key attribute is made of: another one in each table and attribute, and never a person's, so that
 * it does not say whose row it is in another.
 */
function keyName(table: string, attribute: string, text: string): string {
  return `key:${table}:${JSON.stringify(attribute)}:${text}`
}

interface ImageSealer {
  readonly binary: BinaryEncoding
  readonly keys: SubjectKeys
  readonly itemKey: string
  /** Ciphertexts of the image before, and of this one, by what was sealed where under which key. */
  readonly known: ReadonlyMap<string, string>
  readonly made: Map<string, string>
}

function sealValues(item: Item, table: TableConfiguration, sealer: ImageSealer): SealedItem {
  const { binary, keys, itemKey } = sealer
  const subjects = new Set<string>()
  let sealed = item
  for (const erasable of table.erasable ?? []) {
    const token = tokenIn(item, erasable, binary, keys)
    if (token !== undefined) subjects.add(token)
    const owner = token ?? keys.tokenOf(loneSubject(table.table, itemKey))
    for (const value of erasable.values) {
      const sealOne = (found: AttributeValue) => {
        subjects.add(owner)
        if (keys.current(owner).state === 'erased') subjects.add(erasedMark(owner))
        return sealValue(found, value, { ...sealer, table: table.table, token: owner })
      }
      const { M } = replaceAt({ M: sealed }, value.path, sealOne) as { readonly M: Item }
      sealed = M
    }
  }
  return { item: sealed, subjects: [...subjects] }
}

/**
 * A table under which a record is only judged: its values are taken for those of persons who were erased, so that no
 * key is asked for. Nothing that is made so may be kept.
 */
export function judgedOnly(table: TableConfiguration): TableConfiguration {
  return table.erasable === undefined ? table : { ...table, seal: sealingOf(table, NO_KEYS) }
}

const NO_KEYS: SubjectKeys = {
  tokenOf: () => '0'.repeat(32),
  current: () => ({ state: 'erased', generation: 1 }),
  find: () => undefined,
}

/**
 * The subject of an image that does not say whom it concerns. Its values are sealed all the same, under the item
 * itself: what nobody could erase would be in clear for good.
 */
function loneSubject(table: string, itemKey: string): string {
  return `item:${table}:${itemKey}`
}

function tokenIn(
  item: Item,
  { subject }: ErasableSubject,
  binary: BinaryEncoding,
  keys: SubjectKeys,
): string | undefined {
  const value = valueAt(item, subject)
  const id = value === undefined ? null : actorOf(value, binary)
  return id === null ? undefined : keys.tokenOf(id)
}

interface Sealer extends Omit<ImageSealer, 'itemKey'> {
  readonly table: string
  readonly token: string
}

function sealValue(
  value: AttributeValue,
  { path, keep }: ErasableValue,
  { table, token, binary, keys, known, made }: Sealer,
): AttributeValue {
  const key = keys.current(token)
  const { generation } = key
  // of a person who was erased nothing new is kept, be it coarse
  if (key.state === 'erased') return writeSealed({ generation, token, ciphertext: '' })
  const text = canonicalValue(value, path.join('.'), binary)
  const name = `${token}.${generation} ${JSON.stringify(path)}\n${text}`
  const ciphertext = known.get(name) ?? sealText(text, key.fieldKey, { table, path, token, generation })
  made.set(name, ciphertext)
  return writeSealed({ generation, token, ciphertext }, keptOf(value, keep))
}

/**
 * A value with what lies at a path replaced. Where the path cannot be followed, because a text or a list is where the
 * configuration expects a map, all that is there is replaced: it may be the very value in another shape.
 */
function replaceAt(
  value: AttributeValue,
  [step, ...deeper]: AttributePath,
  replace: (value: AttributeValue) => AttributeValue,
): AttributeValue {
  if (step === undefined) return replace(value)
  const replaceInner = (inner: AttributeValue) => replaceAt(inner, deeper, replace)
  if ('L' in value && step === '*') return { L: value.L.map(replaceInner) }
  if (!('M' in value)) return replace(value)
  const names = step === '*' ? Object.keys(value.M) : Object.hasOwn(value.M, step) ? [step] : []
  if (names.length === 0) return value
  return {
    M: { ...value.M, ...Object.fromEntries(names.map(name => [name, replaceInner(value.M[name] as AttributeValue)])) },
  }
}
