/** A path may name attributes of 64 KB (developer guide, "Constraints"); a reason stays one that can be read. */
const MAX_LENGTH = 300

/**
 * Why a record cannot become audit rows. Thrown only inside `transform/` while a record is being read, where it may be
 * many levels deep in an item, and turned into a value at one place, `transformRecord`: to callers bad data is a value.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'

  constructor(message: string) {
    super(message.length > MAX_LENGTH ? `${message.slice(0, MAX_LENGTH - 3)}...` : message)
  }
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
