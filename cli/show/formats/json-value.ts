import type { Io } from '../../io.js'
import { printList, toJson } from '../json-text.js'
import type { Telling, TextFormat } from '../output-format.js'

/** One JSON value, in the contract of docs/cli-json.md. */
export const JSON_VALUE: TextFormat = {
  name: 'json',
  of: 'anything',
  print: async (surface, io) => {
    if (surface.whole !== undefined) return io.out(`${toJson(surface.whole())}\n`)
    const { rows, beside, about, list = 'rows' } = surface
    if (beside === undefined) return printList(rows(), '[', () => ']\n', io)
    const head = toJson({ ...about, [list]: [] }).slice(0, -2)
    await printList(rows(), head, async () => `],\n${toJson(await beside()).slice(1)}\n`, io)
  },
  tell: io => new JsonTelling(io),
}

const CLOSING = { nothing: '{}', object: '}', 'list in object': ']}', list: ']' } as const

/** Writes one value as it comes. Nothing goes out before there is a piece, a part or the end. */
class JsonTelling implements Telling {
  private within: keyof typeof CLOSING = 'nothing'
  private isEmpty = true
  private unwritten = ''

  constructor(private readonly io: Io) {}

  members(known: object): void {
    this.beginMember()
    this.unwritten += toJson(known).slice(1, -1)
  }

  list(name?: string): void {
    if (name !== undefined) this.beginMember()
    this.unwritten += name === undefined ? '[' : `${toJson(name)}:[`
    this.within = name === undefined ? 'list' : 'list in object'
    this.isEmpty = true
  }

  piece(describe: () => object): void {
    this.beginElement()
    this.write(toJson(describe()))
  }

  page(): void {}

  async part<T>(print: (io: Io) => Promise<T>, name?: string): Promise<T> {
    const { unwritten, within, isEmpty } = this
    if (name === undefined) this.beginElement()
    else {
      this.beginMember()
      this.unwritten += `${toJson(name)}:`
    }
    let isBegun = false
    const out = (text: string) => {
      isBegun = true
      // what is in the middle does not end the line
      this.write(text.replace(/\n$/, ''))
    }
    try {
      return await print({ ...this.io, out })
    } finally {
      // what failed before its first word was never there
      if (!isBegun) Object.assign(this, { unwritten, within, isEmpty })
    }
  }

  summary(): void {}

  end(): void {
    this.write(`${CLOSING[this.within]}\n`)
  }

  private beginMember(): void {
    if (this.within === 'list in object') this.unwritten += ']'
    this.unwritten += this.within === 'nothing' ? '{' : ',\n'
    this.within = 'object'
  }

  private beginElement(): void {
    if (!this.isEmpty) this.unwritten += ',\n '
    this.isEmpty = false
  }

  private write(text: string): void {
    this.io.out(`${this.unwritten}${text}`)
    this.unwritten = ''
  }
}
