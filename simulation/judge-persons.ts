/**
 * What must be true of values of persons: of who was erased nothing can be read any more that is not told, everybody
 * else's values open, and what was stored is what the table had.
 */
import { readKeptConfiguration } from '../config/kept-configuration.js'
import { KEY_CACHE_MINUTES, SEALING_MINUTES } from '../config/key-store.js'
import { factsOf } from '../erasure/erase.js'
import { fieldKeyOf, openText } from '../erasure/field.js'
import { type Unsealing, unsealImage } from '../erasure/reveal.js'
import { tokenUnder, unwrapKey } from '../erasure/wrapping.js'
import { type ArchiveFacts, NO_FACTS } from '../queries/verdict/archive-facts.js'
import { type Boundaries, erasuresOf } from '../queries/verdict/erasures.js'
import { type AttributeValue, parseValue } from '../transform/attribute-value.js'
import type { ErasureFact, Fact } from '../transform/fact.js'
import { DATA_PREFIX, factKey, GIVEN_UP_PREFIX, REFUSED_PREFIX } from '../transform/layout.js'
import type { SealedField } from '../transform/sealed-field.js'
import { type AttributePath, configurationId, type TableConfiguration } from '../transform/table-configuration.js'
import type { SimulatedBucket } from './bucket.js'
import { type Contents, linesOf } from './contents.js'
import type { Row } from './judge-versions.js'
import type { SimulatedPersons } from './persons.js'
import type { Version } from './table.js'
import { personalText, personNamed } from './workload.js'

/** What is left of a world with values of persons. */
export interface PersonsLeft {
  readonly table: Pick<TableConfiguration, 'table'>
  readonly persons: SimulatedPersons
  readonly archive: SimulatedBucket
  readonly refused: SimulatedBucket
  /** The copy by item. */
  readonly derived: SimulatedBucket
  readonly count: number
  /** Who was erased, and has no new life. */
  readonly erased: ReadonlySet<string>
}

/** A function uses what it read for so long, and is at work for so long with it. */
const LINGERS_MS = (KEY_CACHE_MINUTES + SEALING_MINUTES) * 60_000

/** What was erasable under each configuration that an archive keeps, by its id. */
export type Erasable = Boundaries['erasable']

export function erasableIn(configurations: Contents): Erasable {
  const read = configurations.map(([key, bytes]) => readKeptConfiguration(bytes, key))
  return new Map(read.map(table => [configurationId(table), table.erasable ?? []]))
}

/**
 * Which values are sealed in a row. An id is made of what is in it: a record that is delivered under two configurations
 * which seal different values is two changes for who reads them, of which the history says that it does not hang together.
 */
export function sealingOf(erasable: Erasable, { config_id: id }: Row): string {
  const paths = (erasable.get(id) ?? []).flatMap(({ values }) => values.map(({ path }) => path.join('.')))
  return paths.sort().join(' ')
}

/** What the facts of an archive say of boundaries in its histories, as `judgeFacts` reads it. */
export function factsAbout(erasable: Erasable, facts: readonly Fact[]): ArchiveFacts {
  return { ...NO_FACTS, boundaries: { erasures: erasuresOf(facts), erasable } }
}

/** Each a sentence. */
export function wrongPersons(left: PersonsLeft, erasable: Erasable, facts: readonly Fact[]): readonly string[] {
  return personsOf(left)
    .flatMap(person => [...unreadableFrom(left, person, factsOf(facts, 'erasure', person)), ...lostTo(left, person)])
    .concat(inClear(left, erasable, facts))
}

interface Person {
  readonly id: string
  readonly token: string
}

function personsOf({ count, persons }: PersonsLeft): readonly Person[] {
  const secret = persons.services.secret('tokens')
  const ids = Array.from({ length: count }, (_, number) => personNamed(number))
  return ids.map(id => ({ id, token: tokenUnder(secret, id) }))
}

/**
 * Each key that is gone has a certificate. It is true when it is written, nothing of its key comes back, and it is not
 * used for long.
 */
function unreadableFrom(
  { persons, archive, erased }: PersonsLeft,
  { id, token }: Person,
  certificates: readonly ErasureFact[],
): readonly string[] {
  const told = new Set(certificates.map(({ generation }) => generation))
  const present = persons.keys.keysOf(token)
  const untold = [...present].filter(([generation, { erased }]) => erased !== undefined && !told.has(generation))
  const left = [...present].filter(([generation, { wrappedKey }]) => {
    return wrappedKey !== undefined && (told.has(generation) || erased.has(id))
  })
  return [
    ...left.map(([generation]) => `${id} is said to be erased, and key ${generation} is there`),
    ...certificates.flatMap(certificate => {
      const { generation } = certificate
      const destroyedMs = persons.destroyedMs(token, generation)
      const toldMs = archive.get(factKey(certificate)).modifiedMs
      const lateMs = (persons.lastSealedMs.get(`${generation}.${token}`) ?? 0) - destroyedMs - LINGERS_MS
      return [
        ...(toldMs < Math.floor(destroyedMs) ? [`${id} is said to be erased before key ${generation} is gone`] : []),
        ...(lateMs > 0
          ? [`${id} is erased, and key ${generation} is used ${Math.ceil(lateMs)} ms after it may be`]
          : []),
      ]
    }),
    ...untold.map(([generation]) => `${id} has lost key ${generation}, and no certificate tells`),
  ]
}

/** A person who was given a new life has it. */
function lostTo({ persons }: PersonsLeft, { id, token }: Person): readonly string[] {
  const [generation, now] = [...persons.keys.keysOf(token)].at(-1) ?? []
  if (generation === undefined || now?.erased !== undefined || now?.fenced !== undefined) return []
  const sinceMs = persons.writesOf(token, generation)[0]?.atMs ?? 0
  const lateMs = (persons.lastEmptyMs.get(token) ?? 0) - sinceMs - LINGERS_MS
  return lateMs > 0 ? [`${id} has a new key, and a value is not kept ${Math.ceil(lateMs)} ms after it should be`] : []
}

/**
 * Nothing but refused records, and rows of a configuration that did not have it sealed, is in clear; and of who was
 * erased the last certificate tells of both.
 */
function inClear(left: PersonsLeft, erasable: Erasable, facts: readonly Fact[]): readonly string[] {
  const { archive, refused, derived, erased } = left
  const people = personsOf(left)
  const problems: string[] = []
  const seals = (line: string) => isSealed(erasable, (JSON.parse(line) as Row).config_id)
  for (const bucket of [archive, refused, derived])
    for (const [key, versions] of bucket.objects) {
      const isRefused = key.startsWith(REFUSED_PREFIX) || key.startsWith(GIVEN_UP_PREFIX)
      const texts = versions.map(({ bytes }) =>
        isRefused ? refusedText(bytes) : Buffer.from(bytes).toString('latin1'),
      )
      for (const { id, token } of people) {
        const has = (text: string) => text.includes(personalText(id))
        if (!texts.some(has)) continue
        const isMeant = key.startsWith(DATA_PREFIX) && !texts.flatMap(linesOf).some(line => has(line) && seals(line))
        const told = isMeant ? ROWS_IN_CLEAR : `s3://${bucket.name}/${key} `
        if (!isRefused && !isMeant) problems.push(`object ${key} has a value of ${id} in clear`)
        else if (erased.has(id) && !isTold(told, factsOf(facts, 'erasure', { token })))
          problems.push(`object ${key} has a value of ${id} in clear, who is erased, and no certificate tells`)
      }
    }
  return problems
}

/** True of a configuration that has the values of persons sealed; of one that is not kept nobody knows better. */
function isSealed(erasable: Erasable, id: string): boolean {
  return erasable.get(id)?.some(({ values }) => values.some(({ path }) => path[0] === 'contact')) ?? true
}

const ROWS_IN_CLEAR = / rows of Orders /

function isTold(told: string | RegExp, certificates: readonly ErasureFact[]): boolean {
  const tells = (pending: string) => (typeof told === 'string' ? pending.startsWith(told) : told.test(pending))
  return certificates.at(-1)?.pending.some(tells) ?? false
}

function refusedText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString()
  return text.replaceAll(/"rawData":"([^"]*)"/g, (_, raw: string) => Buffer.from(raw, 'base64').toString())
}

/**
 * Rows with their values opened: by the keys that are there, or of who was erased by those that were. What was not kept,
 * because its person was being erased, is taken from the table itself.
 */
export function openedRows(
  left: PersonsLeft,
  rows: readonly Row[],
  versionOf: (row: Row) => Version | undefined,
  facts: readonly Fact[],
): readonly Row[] {
  const opener = new Opener(left, facts)
  return rows.map(row => {
    const version = versionOf(row)
    const open = (image: string | null | undefined, truth: string | null) =>
      image === null || image === undefined ? image : opener.open(image, truth)
    const images = {
      old_image: open(row.old_image, version?.before ?? null),
      new_image: open(row.new_image, version?.after ?? null),
    }
    return { ...row, ...images } as Row
  })
}

class Opener {
  private readonly wrapping: Uint8Array
  private readonly fenced: ReadonlySet<string>
  private readonly known = new Map<string, AttributeValue | undefined>()

  constructor(
    private readonly left: PersonsLeft,
    facts: readonly Fact[],
  ) {
    this.wrapping = left.persons.services.secret('keys')
    const erasures = facts.filter(fact => fact.kind === 'erasing' || fact.kind === 'erasure')
    this.fenced = new Set(erasures.map(({ token, generation }) => `${token}.${generation}`))
  }

  open(image: string, truth: string | null): string {
    const unseal: Unsealing = (field, path) => {
      const name = `${field.token}.${field.generation}`
      if (field.ciphertext === '') return this.fenced.has(name) ? valueIn(truth, path) : undefined
      // whatever is at another path has another ciphertext
      if (!this.known.has(field.ciphertext)) this.known.set(field.ciphertext, this.unseal(field, path))
      return this.known.get(field.ciphertext)
    }
    return unsealImage(image, unseal)
  }

  private unseal(field: SealedField, path: AttributePath): AttributeValue | undefined {
    const { token, generation } = field
    const { persons } = this.left
    const isErased = this.fenced.has(`${token}.${generation}`)
    const present = persons.keys.keysOf(token).get(generation)
    const items = isErased ? persons.writesOf(token, generation).map(({ item }) => item) : present ? [present] : []
    for (const item of items) {
      const key = item.wrappedKey?.B && unwrapKey(this.wrapping, item.wrappedKey.B, { token, generation })
      const place = { table: this.left.table.table, path, token, generation }
      const text = key && openText(field.ciphertext, fieldKeyOf(key), place)
      if (text !== undefined) return parseValue(text)
    }
    return undefined
  }
}

function valueIn(truth: string | null, [name = '']: AttributePath): AttributeValue | undefined {
  return truth === null ? undefined : (JSON.parse(truth) as Record<string, AttributeValue>)[name]
}
