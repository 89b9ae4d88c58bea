import { hash } from 'node:crypto'
import { readKeptConfiguration } from '../../config/kept-configuration.js'
import { findFacts } from '../../store/kept-facts.js'
import type { Objects } from '../../store/objects.js'
import { readEach } from '../../store/read-each.js'
import { type ErasingFact, type ErasureFact, type Fact, writeFact } from '../../transform/fact.js'
import { configurationPrefix } from '../../transform/layout.js'
import type { SealedField } from '../../transform/sealed-field.js'
import { configurationId, type ErasableSubject, type TableConfiguration } from '../../transform/table-configuration.js'
import type { QueryEngine } from '../engines/engine.js'
import { once } from '../engines/once.js'

/** An erasure that the archive's facts tell of. */
export interface KnownErasure {
  readonly token: string
  readonly generation: number
  /** When the key was destroyed; null while only the fence tells of it. */
  readonly destroyed: string | null
  /** The certificate's name; null where there is none yet. */
  readonly certificate: string | null
}

/** The keys that facts say are destroyed, or being so, by `TOKEN.GENERATION`. */
export type KnownErasures = ReadonlyMap<string, KnownErasure>

/** What explains that a value is not what it was: the erasures, and what was erasable under each configuration. */
export interface Boundaries {
  readonly erasures: KnownErasures
  /** By `config_id`; of one that cannot be read nothing is known. */
  readonly erasable: ReadonlyMap<string, readonly ErasableSubject[]>
}

export const NO_BOUNDARIES: Boundaries = { erasures: new Map(), erasable: new Map() }

/** Of a table's facts, those of erasures: a certificate goes before its fence, a later one before an earlier. */
export function erasuresOf(facts: readonly Fact[]): KnownErasures {
  const isOfErasure = (fact: Fact): fact is ErasingFact | ErasureFact =>
    fact.kind === 'erasing' || fact.kind === 'erasure'
  const known = new Map<string, KnownErasure>()
  for (const fact of facts.filter(isOfErasure)) {
    const { token, generation } = fact
    const name = `${token}.${generation}`
    if (fact.kind === 'erasure')
      known.set(name, { token, generation, destroyed: fact.destroyed, certificate: certificateName(fact) })
    else if (!known.has(name)) known.set(name, { token, generation, destroyed: null, certificate: null })
  }
  return known
}

/** An erasure that was begun, and has no certificate: the process died, or a case was opened meanwhile. */
export interface Uncertified {
  readonly token: string
  /** When its fence went up: an instant of facts. */
  readonly asked: string
}

/** Those that a table's facts tell of, the longest ago first. */
export function uncertifiedIn(facts: readonly Fact[]): readonly Uncertified[] {
  const known = erasuresOf(facts)
  return facts
    .flatMap(fact => (fact.kind === 'erasing' && erasureOf(fact, known)?.certificate === null ? [fact] : []))
    .map(({ token, recorded }) => ({ token, asked: recorded }))
    .sort((a, b) => (a.asked < b.asked ? -1 : 1))
}

/** The erasure that made a sealed value unreadable; undefined where no fact tells of one. */
export function erasureOf(
  { token, generation }: Pick<SealedField, 'token' | 'generation'>,
  erasures: KnownErasures,
): KnownErasure | undefined {
  return erasures.get(`${token}.${generation}`)
}

/** What names a certificate to people: the beginning of the SHA-256 of its file, of which a journal seals the whole. */
export function certificateName(certificate: ErasureFact): string {
  return hash('sha256', writeFact(certificate)).slice(0, 8)
}

/** What was erasable under each configuration that the archive has of a table. */
export async function erasableOf(archive: Objects, table: string): Promise<Boundaries['erasable']> {
  const { read } = await readEach(archive, configurationPrefix(table), readKeptConfiguration)
  return new Map(read.map(configuration => [configurationId(configuration), configuration.erasable ?? []]))
}

/** What an archive knows of a table's boundaries, and how its values are sealed now, which no row need have been. */
export function boundariesWith(engine: QueryEngine, table: TableConfiguration): Promise<Boundaries> {
  return once(engine, `boundaries of ${table.table} ${configurationId(table)}`, () => readBoundaries(engine, table))
}

async function readBoundaries({ facts: archive }: QueryEngine, table: TableConfiguration): Promise<Boundaries> {
  if (archive === undefined) return NO_BOUNDARIES
  const { facts } = await findFacts(archive, table.table)
  const erasable = await erasableOf(archive, table.table)
  return {
    erasures: erasuresOf(facts),
    erasable: new Map([...erasable, [configurationId(table), table.erasable ?? []]]),
  }
}
