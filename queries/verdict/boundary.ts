/**
 * Why a chain breaks where nothing need be missing: a value was sealed otherwise than in the change before, because its
 * person was erased between the two, or because the table's `erasable` was another. Everything that can still be
 * compared has to be the same; what cannot be is named by what the archive holds, and by nothing else.
 */
import { type AttributeValue, canonicalValue } from '../../transform/attribute-value.js'
import { hasSealed, readSealed, type SealedField } from '../../transform/sealed-field.js'
import type { AttributePath, ErasableSubject, ErasableValue } from '../../transform/table-configuration.js'
import { itemAsHashed } from './alteration.js'
import { type Boundaries, erasureOf, type KnownErasure } from './erasures.js'

/** One side of a break: the image, what hash the row says that it has, and the configuration that it was made under. */
export interface BrokenSide {
  readonly image: string
  readonly hash: string
  readonly configId: string
}

/** The reason of a break. */
export interface Boundary {
  readonly finding: 'ERASED' | 'CONFIG-BOUNDARY'
  /** The erasures between the two sides. */
  readonly erasures: readonly KnownErasure[]
}

/** Why two images differ that ought to be the same; undefined where a change is missing between them, or may be. */
export function boundaryBetween(before: BrokenSide, after: BrokenSide, known: Boundaries): Boundary | undefined {
  const isSealing = ({ configId }: BrokenSide) => (known.erasable.get(configId)?.length ?? 0) > 0
  if (!isSealing(before) && !isSealing(after)) return undefined
  const [a, b] = [before, after].map(({ image, hash }) => itemAsHashed(image, hash))
  if (a === undefined || b === undefined) return undefined
  const compared = new Comparison(before.configId, after.configId, known)
  const isSame = compared.values({ M: a }, { M: b }, [])
  const { erasures, isOfConfiguration } = compared
  if (!isSame || (erasures.size === 0 && !isOfConfiguration)) return undefined
  return { finding: erasures.size > 0 ? 'ERASED' : 'CONFIG-BOUNDARY', erasures: [...erasures] }
}

/** Goes through two values side by side, and remembers why some of them cannot be compared. */
class Comparison {
  readonly erasures = new Set<KnownErasure>()
  isOfConfiguration = false

  constructor(
    private readonly idBefore: string,
    private readonly idAfter: string,
    private readonly known: Boundaries,
  ) {}

  /** False where the values are known to differ, or nothing tells why they cannot be compared. */
  values(before: AttributeValue, after: AttributeValue, path: AttributePath): boolean {
    if (JSON.stringify(before) === JSON.stringify(after)) return true
    const [a, b] = [this.sealedIn(before, this.idBefore, path), this.sealedIn(after, this.idAfter, path)]
    if (a !== undefined && b !== undefined) return this.bothSealed(a, b, path)
    if (a !== undefined) return this.oneSealed(after, a, path)
    if (b !== undefined) return this.oneSealed(before, b, path)
    if ('M' in before && 'M' in after) return this.maps(before.M, after.M, path)
    return 'L' in before && 'L' in after && this.lists(before.L, after.L, path)
  }

  /** What is sealed stands where its configuration seals: elsewhere it is a value like any other. */
  private sealedIn(value: AttributeValue, configId: string, path: AttributePath): SealedField | undefined {
    return sealingAt(this.known.erasable.get(configId) ?? [], path).length === 0 ? undefined : readSealed(value)
  }

  private maps(
    before: Readonly<Record<string, AttributeValue>>,
    after: Readonly<Record<string, AttributeValue>>,
    path: AttributePath,
  ): boolean {
    const names = Object.keys(before)
    return (
      names.length === Object.keys(after).length &&
      names.every(
        name =>
          Object.hasOwn(after, name) &&
          this.values(before[name] as AttributeValue, after[name] as AttributeValue, [...path, name]),
      )
    )
  }

  private lists(before: readonly AttributeValue[], after: readonly AttributeValue[], path: AttributePath): boolean {
    return (
      before.length === after.length &&
      before.every((value, i) => this.values(value, after[i] as AttributeValue, [...path, '*']))
    )
  }

  private bothSealed(a: SealedField, b: SealedField, path: AttributePath): boolean {
    if (a.token !== b.token) return isAsLong(a, b) && this.isOtherwiseSealed(path, 'anyhow')
    if (a.generation === b.generation && a.ciphertext !== '' && b.ciphertext !== '')
      return a.ciphertext === b.ciphertext
        ? this.isOtherwiseSealed(path, 'anyhow')
        : isAsLong(a, b) && this.isOtherwiseSealed(path, 'by another path')
    const erasure = erasureOf(a.generation <= b.generation ? a : b, this.known.erasures)
    if (erasure === undefined || !isAsLong(a, b)) return false
    this.erasures.add(erasure)
    return true
  }

  private oneSealed(clear: AttributeValue, sealed: SealedField, path: AttributePath): boolean {
    // of what is partly sealed on this side nobody knows how long it was
    const isOpen = sealed.ciphertext === '' || hasSealed(clear)
    const bytes = Buffer.byteLength(canonicalValue(clear, 'value', 'once'))
    return (isOpen || lengthOf(sealed) === sealedLength(bytes)) && this.isOtherwiseSealed(path, 'anyhow')
  }

  /** True where the two configurations do not seal the same here. The same path gives the same ciphertext. */
  private isOtherwiseSealed(path: AttributePath, how: 'anyhow' | 'by another path'): boolean {
    const [before, after] = [this.idBefore, this.idAfter].map(id => this.known.erasable.get(id))
    if (before === undefined || after === undefined) return false
    const sealing = (erasable: readonly ErasableSubject[]) => {
      const found = sealingAt(erasable, path)
      return JSON.stringify(how === 'anyhow' ? found : found.map(([, value]) => value.path))
    }
    if (sealing(before) === sealing(after)) return false
    this.isOfConfiguration = true
    return true
  }
}

/** How what lies at a path is sealed: under whom, by which configured paths, and what is kept of it. */
function sealingAt(
  erasable: readonly ErasableSubject[],
  found: AttributePath,
): readonly (readonly [subject: AttributePath, value: ErasableValue])[] {
  const isAt = ({ path }: ErasableValue) =>
    found.length <= path.length && found.every((step, i) => step === path[i] || path[i] === '*')
  return erasable.flatMap(({ subject, values }) => values.filter(isAt).map(value => [subject, value] as const))
}

/** True where two values that were sealed may be of one length: of one that was not kept nothing is known. */
function isAsLong(a: SealedField, b: SealedField): boolean {
  return a.ciphertext === '' || b.ciphertext === '' || lengthOf(a) === lengthOf(b)
}

function lengthOf({ ciphertext }: SealedField): number {
  return Buffer.from(ciphertext, 'base64url').length
}

/** Of a synthetic IV and a text that is filled up to the next multiple of 32 bytes, as `docs/erasure.md` has it. */
function sealedLength(bytes: number): number {
  return 16 + Math.ceil(bytes / 32) * 32
}
