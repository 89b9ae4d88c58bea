import { shown } from '../transform/refusal.js'
import { type FieldPath, pathText } from './problems.js'

/**
 * `JSON.parse` for a file that a person wrote: its SyntaxError says the line and the column, which Node 20's does not
 * always do, and a name that occurs twice is an error, where `JSON.parse` would keep the last in silence.
 */
export function readJson(text: string): unknown {
  new JsonChecker(text).check()
  return JSON.parse(text)
}

/** The characters that stand for themselves in a string: all but `"`, `\` and controls. */
const PLAIN = '[ !#-[\\]-\\uffff]*'
const TOKEN = new RegExp(
  [
    '[{}[\\],:]',
    `"${PLAIN}(?:\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})${PLAIN})*"`,
    '-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?',
    'true|false|null',
  ].join('|'),
  'y',
)

/** No configuration comes near it, and it keeps every recursive reader off the end of the stack. */
const MAX_DEPTH = 64

class JsonChecker {
  private token = ''
  private start = 0
  private end = 0

  constructor(private readonly text: string) {
    this.advance()
  }

  check(): void {
    this.checkValue([])
    if (this.start < this.text.length) this.fail('the end of the file')
  }

  private checkValue(path: FieldPath): void {
    if (path.length > MAX_DEPTH) this.fail(`at most ${MAX_DEPTH} levels`)
    if (this.token === '{') this.checkObject(path)
    else if (this.token === '[') this.checkArray(path)
    else if (/^["\w-]/.test(this.token)) this.advance()
    else this.fail('a value')
  }

  private checkObject(path: FieldPath): void {
    this.advance()
    if (this.take('}')) return
    const names = new Set<string>()
    do {
      if (!this.token.startsWith('"')) this.fail('a name in double quotes')
      const name = JSON.parse(this.token) as string
      const member = [...path, name]
      // zod leaves this name out of a record without a word
      if (name === '__proto__') throw new SyntaxError(`${pathText(member)} is a name that no field can have`)
      if (names.has(name)) throw new SyntaxError(`${pathText(member)} is there twice, again at ${this.position()}`)
      names.add(name)
      this.advance()
      if (!this.take(':')) this.fail('":"')
      this.checkValue(member)
    } while (this.take(','))
    if (!this.take('}')) this.fail('"," or "}"')
  }

  private checkArray(path: FieldPath): void {
    this.advance()
    if (this.take(']')) return
    let index = 0
    do this.checkValue([...path, index++])
    while (this.take(','))
    if (!this.take(']')) this.fail('"," or "]"')
  }

  private take(token: string): boolean {
    const taken = this.token === token
    if (taken) this.advance()
    return taken
  }

  /** Moves to the next token; the empty token is the end of the file or what no JSON has. */
  private advance(): void {
    this.start = this.end
    while (/[ \t\n\r]/.test(this.text.charAt(this.start))) this.start++
    TOKEN.lastIndex = this.start
    this.token = TOKEN.exec(this.text)?.[0] ?? ''
    this.end = this.start + this.token.length
  }

  private fail(expected: string): never {
    const found = /^(?:\w+|.)/su.exec(this.text.slice(this.start, this.start + 60))?.[0]
    if (found === undefined) throw new SyntaxError(`the file ends at ${this.position()}, expected ${expected}`)
    const wanted = this.token === '' && found === '"' ? 'a text that ends on its line, with escapes of JSON' : expected
    throw new SyntaxError(`${this.position()} has ${shown(found)}, expected ${wanted}`)
  }

  private position(): string {
    const lines = this.text.slice(0, this.start).split(/\r\n|\n|\r/)
    return `line ${lines.length}, column ${(lines.at(-1) as string).length + 1}`
  }
}
