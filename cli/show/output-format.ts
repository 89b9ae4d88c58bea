import type { Io } from '../io.js'
import type { AnswerSurface, Surface } from './surface.js'

/** One way in which an answer leaves. Each is in a file of its own, and in the list of `formats.ts`. */
export type OutputFormat = TextFormat | AnswerFormat

/** A format of every command. */
export interface TextFormat {
  readonly name: string
  readonly of: 'anything'
  /** True where it is no text, which no terminal takes. */
  readonly isBinary?: false
  /** True where a file of it has no place for how sure the answer is. @default false */
  readonly isRowsAlone?: boolean
  readonly print: (surface: Surface, io: Io) => Promise<void>
  /** For what is told while it is found. */
  readonly tell: (io: Io) => Telling
}

/** A format of commands whose answer has columns, or items. */
export interface AnswerFormat {
  readonly name: string
  readonly of: 'columns' | 'items'
  /** What help says behind the name. @default - the name says it */
  readonly about?: string
  readonly isBinary?: boolean
  readonly isRowsAlone?: boolean
  readonly print: (surface: AnswerSurface, io: Io) => Promise<void>
}

/** Tells an answer piece by piece as it is found: it may be larger than memory. */
export interface Telling {
  /** Members of the one object that the answer is, in their order. */
  members(known: object): void
  /** Begins a list, which the next pieces and parts are in; one without a name is the answer itself. */
  list(name?: string): void
  /** One of the list; `page` prints it for people, or nothing where they need not see it. */
  piece(describe: () => object, page: () => unknown): void
  /** Prints for people what others have as members. */
  page(print: () => void): void
  /** An answer that is printed in here: the next of the list, or with a name a member. */
  part<T>(print: (io: Io) => Promise<T>, name?: string): Promise<T>
  /** How it ended, for a format whose members do not tell that. */
  summary(print: (io: Io) => void): void
  end(): void
}
