import { type AttributeValue, parseValue } from '../transform/attribute-value.js'

/** Names that persons' data mostly has, in any spelling; what an application calls otherwise nobody can guess. */
const NAMES =
  /^((first|last|full|given|family|sur|middle|maiden|display|user|customer|contact|recipient|holder)?name|e?mail(address)?|(tele|mobile|cell|work|home)?phone(number)?|mobile|fax|(street|postal|home|billing|shipping|ip)?address|street|zip(code)?|post(al)?code|(date|place)?of?birth(date|day)?|dob|gender|nationality|iban|bic|ssn|taxid|vatid|passport(number)?|ip)$/

/** Values that tell a person whatever they are called: an address of mail, an account. */
const VALUES = /^([^@\s]+@[^@\s]+\.[A-Za-z]{2,}|[A-Z]{2}\d{2}[A-Z0-9]{11,30})$/

/** Deeper than this nobody looks, and more paths than this no sample names. */
const DEEPEST = 8
const MOST_PATHS = 1000

/** Paths in images whose name or value looks like a person's, as `erasable` takes them. A hint, and no promise. */
export class PersonalPaths {
  private readonly found = new Set<string>()

  /** Takes an image in: its attributes with their canonical texts. */
  note(attributes: ReadonlyMap<string, string>): void {
    for (const [name, text] of attributes) this.look(parseValue(text), [name])
  }

  /** Sorted; a name with a dot in it is left out, because it takes another form. */
  get paths(): readonly string[] {
    return [...this.found].sort()
  }

  private look(value: AttributeValue, path: readonly string[]): void {
    if (path.length > DEEPEST || this.found.size >= MOST_PATHS) return
    if ('M' in value) for (const [name, inner] of Object.entries(value.M)) this.look(inner, [...path, name])
    else if ('L' in value) for (const inner of value.L) this.look(inner, [...path, '*'])
    else if (looksPersonal(value, path) && !path.some(name => name.includes('.'))) this.found.add(path.join('.'))
  }
}

function looksPersonal(value: AttributeValue, path: readonly string[]): boolean {
  const name = path.findLast(step => step !== '*') ?? ''
  if ('S' in value && value.S.length <= 320 && VALUES.test(value.S)) return true
  return ('S' in value || 'N' in value || 'SS' in value) && NAMES.test(name.toLowerCase().replaceAll(/[^a-z]/g, ''))
}
