/** A path may name attributes of 64 KB (developer guide, "Constraints"); a reason stays one that can be read. */
const MAX_LENGTH = 300

// around what a log leaves out; private characters, which a text of the record itself loses on its way into a message
const [OPEN, CLOSE] = ['\ue000', '\ue001'] as const
const HELD = new RegExp(`${OPEN}[^${CLOSE}]*${CLOSE}`, 'g')
const MARKS = new RegExp(`[${OPEN}${CLOSE}]`, 'g')

/**
 * Why a record cannot become audit rows. Thrown only inside `transform/` while a record is being read, where it may be
 * many levels deep in an item, and turned into a value at one place, `transformRecord`: to callers bad data is a value.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** The same for a log that others read: without anything that the record holds. */
  readonly outline: string

  constructor(message: string) {
    super(shortened(message.replaceAll(MARKS, '')))
    this.outline = shortened(message.replaceAll(HELD, '...'))
  }
}

function shortened(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 3)}...` : text
}

/** What a record holds, as it may stand in the message of a refusal: shown, and left out of its outline. */
export function held(value: unknown): string {
  return `${OPEN}${shown(value).replaceAll(MARKS, '?')}${CLOSE}`
}

/** A path into a record, of which the outline has the first name: those behind it may be data, such as a map's. */
export function at(path: string): string {
  const [, first = '', rest = ''] = /^([^.[]*)(.*)$/s.exec(path) ?? []
  return rest === '' ? first : `${first}${OPEN}${rest.replaceAll(MARKS, '?')}${CLOSE}`
}

/** A value as it may stand in a message: as JSON, cut to 60 characters. */
export function shown(value: unknown): string {
  const text = jsonOf(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return 'a value that is nested too deep'
  }
}
