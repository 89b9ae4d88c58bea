import type { Table } from 'apache-arrow'
import type { Child } from 'hono/jsx'
import type { ReadingKeys } from '../erasure/subject-keys.js'
import type { JournalIdentity } from '../journal/head.js'
import type { AnswerVerdict } from '../queries/answers/asked.js'
import type { Search } from './address.js'
import type { Looked } from './archive-in-view.js'
import type { Clock } from './times.js'

/** What a screen is made with. */
export interface PageAsking extends Looked {
  /** Names the archive as the command line does. */
  readonly root: string
  readonly onAws: boolean
  /** Whose journal is believed; undefined where nobody said. */
  readonly identity: JournalIdentity | undefined
  /** The flags by which a command asks the same archive, and believes the same key where one was typed. */
  readonly flags: string
  /** The flag by which a command believes the same key; empty where the configuration names it. */
  readonly keyFlag: string
  readonly search: Search
  /** The path without its ending, each step as it was meant. */
  readonly path: readonly string[]
  readonly clock: Clock
  readonly now: Date
  /** When it began to be made, by `performance.now()`. */
  readonly begunMs: number
  /** True where states are shown in DynamoDB JSON. */
  readonly raw: boolean
  /** True where nothing is shown before all of it is known: in a file. */
  readonly waits: boolean
  readonly allowsSql: boolean
  /** The keys of persons, where sealed values are opened; undefined where they are not. */
  readonly keys: (() => Promise<ReadingKeys>) | undefined
}

/** How sure a screen is: found out, or being found out. */
export type Sureness =
  | {
      readonly kind: 'judged'
      readonly verdict: AnswerVerdict | undefined
      readonly word: string
      readonly lines: readonly string[]
    }
  | { readonly kind: 'pending' }

/** A screen: what is always on it, what is its own, and the same as data. */
export interface Screen {
  readonly status?: 400 | 404 | 500 | 503
  /** The question in words: the heading and the title. */
  readonly question: string
  /** Where it lies, from the archive down. */
  readonly trail: readonly (readonly [name: string, link: string])[]
  /** The command that gives the same; undefined where nothing does. */
  readonly command?: string | undefined
  readonly sureness?: Sureness | undefined
  /** How many rows are shown of how many, and what is left out. */
  readonly counts?: string | undefined
  /** True where how many there are is still being counted. @default false */
  readonly isCounting?: boolean | undefined
  /** SHA-256 of the answer, as its receipt has it, where it is known by now; and where the receipt is. */
  readonly receipt?: { readonly sha256?: string | undefined; readonly link: string } | undefined
  /** What else a reader should know. */
  readonly remarks?: readonly string[] | undefined
  /** What of the archive it does not rest on, because it is not read. @default - looked for around it */
  readonly unread?: readonly string[] | undefined
  readonly body: Child
  /** What `.json` has beside what is always there. */
  readonly data: object
  /** True where nothing was asked yet, so that nothing is to be asked for what stands around it. @default false */
  readonly isUnasked?: boolean | undefined
  /** True where a file has some of the rows only, which CSV has no place to say. @default false */
  readonly isCut?: boolean | undefined
  /** Why what there is of rows makes no file: empty, it would look like an answer. */
  readonly whyNoFile?: string | undefined
  /** What `.csv` has, where the screen is a list. */
  readonly rows?: Table | undefined
}
