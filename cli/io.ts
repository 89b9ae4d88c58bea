import type { Readable } from 'node:stream'

/** What a command may touch of the world. */
export interface Io {
  /** Data goes here. */
  readonly out: (text: string) => void
  /** Data that is no text goes there too. @default - it is taken as text */
  readonly outBytes?: (bytes: Uint8Array) => void
  /** Everything else: progress, notes, errors. */
  readonly err: (text: string) => void
  readonly stdin: Readable
  /** Width of the terminal that data goes to; undefined where it is none. */
  readonly columns: number | undefined
  /** Lines of that terminal. @default - nobody knows */
  readonly lines?: number | undefined
  /** True where data goes to a terminal. @default - where it has a width */
  readonly outIsTerminal?: boolean
  /** Opens what long answers on a terminal are read in; undefined where they are not. @default - they are not */
  readonly openPager?: () => Pager | undefined
  /** True where progress may rewrite its line. */
  readonly errIsTerminal: boolean
  readonly colour: boolean
  /** By whose clock times are printed for people; answers for programs are always of UTC. @default - of UTC */
  readonly zone?: string | undefined
  /** True where texts of a CSV stay as they are, also those that a spreadsheet would run. @default false */
  readonly keepsFormulas?: boolean
  /** True where a CSV is for Excel: keys and values plain, and its mark in front. @default false */
  readonly forExcel?: boolean
  /** The command as it was typed, for receipts. @default - it was not typed */
  readonly argv?: readonly string[]
  /**
   * From this call on, what would end the process (Ctrl-C) aborts the signal instead, its reason an `Interruption`; a
   * second time it ends at once.
   * @default - nothing ends a command early
   */
  readonly interruption?: () => AbortSignal
}

/** Takes a long answer on a terminal, so that its beginning does not scroll away. */
export interface Pager {
  readonly write: (text: string) => void
  /** Waits until its reader has left it. */
  readonly end: () => Promise<void>
}

/** True where data goes to a terminal. */
export function goesToTerminal({ outIsTerminal, columns }: Io): boolean {
  return outIsTerminal ?? columns !== undefined
}

/** Somebody wants a command to end. */
export class Interruption extends Error {
  override readonly name = 'Interruption'
}

/** How a command ended. */
export const EXIT = { done: 0, findings: 1, usage: 2, unchecked: 3 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** What a user asked for cannot be done as asked; `exit` says which kind of ending it is. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  constructor(
    message: string,
    readonly exit: ExitCode = EXIT.usage,
    readonly hint?: string,
  ) {
    super(message)
  }
}

/** Options as commander hands them over. */
export type Options = Readonly<Record<string, string | boolean | readonly string[] | undefined>>

/** One command of the command line. */
export interface Command {
  /** Name and arguments, as commander reads them: `history <table> <key>`. */
  readonly usage: string
  /** The arguments as help shows them, where that says more than `usage` can: an optional one before a needed one. */
  readonly shownArguments?: string
  readonly summary: string
  /** An option whose preset is a list may be given several times. */
  readonly options: readonly (readonly [flags: string, description: string, preset?: string | readonly string[]])[]
  readonly example: string
  /** What help says besides for some arguments, such as one question's parameters. @default - nothing */
  readonly moreHelp?: (args: readonly string[]) => string
  readonly run: (args: readonly string[], options: Options, io: Io) => Promise<ExitCode>
}
