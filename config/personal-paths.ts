import { type AttributeValue, parseValue } from '../transform/attribute-value.js'
import type { AttributePath } from '../transform/table-configuration.js'

/** Names that persons' data mostly has, in any spelling; what an application calls otherwise nobody can guess. */
const NAMES =
  /^((first|last|full|given|family|sur|middle|maiden|display|user|customer|contact|recipient|holder)?name|e?mail(address)?|(tele|mobile|cell|work|home)?phone(number)?|mobile|fax|(street|postal|home|billing|shipping|ip)?address|street|zip(code)?|post(al)?code|(date|place)?of?birth(date|day)?|dob|gender|nationality|iban|bic|ssn|taxid|vatid|passport(number)?|ip)$/

/** Values that tell a person whatever they are called: an address of mail, an account. */
const VALUES = /^([^@\s]+@[^@\s]+\.[A-Za-z]{2,}|[A-Z]{2}\d{2}[A-Z0-9]{11,30})$/

/** The same in a key, where something may stand before it: `USER#ann@example.com`. */
const IN_KEY = /[^@\s#|:/]+@[^@\s#|:/]+\.[A-Za-z]{2,}/

/** Names that say whose something is, and in a map of a person's `id` alone. */
const PERSON_ID =
  /^(user|customer|client|buyer|seller|person|member|patient|employee|owner|holder|subscriber|guest|recipient)(id|uuid|no|number)$/
const ID = /^(id|uuid)$/

/** Deeper than this nobody looks, and more paths than this no sample names. */
const DEEPEST = 8
const MOST_PATHS = 1000

/** What can be made erasable of a person, as the configuration has it. */
export interface ErasableProposal {
  readonly subject: string
  readonly attributes: readonly string[]
}

/** Paths in images whose name or value looks like a person's, as `erasable` takes them. A hint, and no promise. */
export class PersonalPaths {
  private readonly found = new Set<string>()
  private readonly ids = new Set<string>()
  private readonly inKeys = new Set<string>()

  /** Takes an image in: its attributes with their canonical texts. */
  note(attributes: ReadonlyMap<string, string>): void {
    for (const [name, text] of attributes) {
      if (IN_KEY.test(text)) this.inKeys.add(name)
      this.look(parseValue(text), [name])
    }
  }

  /** Sorted; a name with a dot in it is left out, because it takes another form. */
  get paths(): readonly string[] {
    return [...this.found].sort()
  }

  /** Which of these key attributes look as if they named a person. */
  keysNaming(keys: readonly string[]): readonly string[] {
    return keys.filter(key => looksPersonalName([key]) || this.inKeys.has(key))
  }

  /**
   * The paths by the id that seems to say whose they are, nearest first; where none does, by the first key. Without
   * the keys themselves and `clear`, which cannot be erasable.
   */
  proposed(keys: readonly string[], clear: readonly string[]): readonly ErasableProposal[] {
    const bySubject = new Map<string, string[]>()
    for (const path of this.paths.filter(found => ![...keys, ...clear].includes(found))) {
      const subject = this.subjectOf(path.split('.')) ?? keys[0]
      if (subject !== undefined) bySubject.set(subject, [...(bySubject.get(subject) ?? []), path])
    }
    return [...bySubject].map(([subject, attributes]) => ({ subject, attributes }))
  }

  /** An id in the same map, or one around it. No subject lies below a list. */
  private subjectOf(path: AttributePath): string | undefined {
    const star = path.indexOf('*')
    for (let depth = (star === -1 ? path.length : star) - 1; depth >= 0; depth--) {
      const around = path
        .slice(0, depth)
        .map(step => `${step}.`)
        .join('')
      const near = [...this.ids].filter(id => id.startsWith(around) && !id.slice(around.length).includes('.'))
      if (near.length > 0) return near.sort()[0]
    }
    return undefined
  }

  private look(value: AttributeValue, path: readonly string[]): void {
    if (path.length > DEEPEST || this.found.size + this.ids.size >= MOST_PATHS) return
    if ('M' in value) for (const [name, inner] of Object.entries(value.M)) this.look(inner, [...path, name])
    else if ('L' in value) for (const inner of value.L) this.look(inner, [...path, '*'])
    else if (path.some(name => name.includes('.'))) return
    else if (looksPersonal(value, path)) this.found.add(path.join('.'))
    else if (looksLikeId(value, path)) this.ids.add(path.join('.'))
  }
}

/** True of a path whose name looks like a person's. */
export function looksPersonalName(path: AttributePath): boolean {
  return NAMES.test(plainName(path))
}

function looksPersonal(value: AttributeValue, path: AttributePath): boolean {
  if ('S' in value && value.S.length <= 320 && VALUES.test(value.S)) return true
  return ('S' in value || 'N' in value || 'SS' in value) && looksPersonalName(path)
}

function looksLikeId(value: AttributeValue, path: AttributePath): boolean {
  if (path.includes('*') || !('S' in value || 'N' in value)) return false
  const name = plainName(path)
  return PERSON_ID.test(name) || (path.length > 1 && ID.test(name))
}

/** The last name of a path in lower-case letters alone. */
function plainName(path: AttributePath): string {
  return (path.findLast(step => step !== '*') ?? '').toLowerCase().replaceAll(/[^a-z]/g, '')
}
