import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { z } from 'zod'
import { checkJson, count, FileError, instant, listOf, readBounded, record, sha256, text } from '../config/gate.js'
import { LEDGER_FILE } from '../transform/layout.js'
import { makeFolder, writeDurably } from './durable.js'
import { refuseLinks } from './links.js'

/** A line of a ledger. */
const sentAgain = record({
  ...{ from: text, object: text, line: count, documents: listOf(count), of: count.min(1) },
  ...{ to: text, at: instant, sha256 },
})

/** Some two million records that were sent again. */
const MAX_BYTES = 256 * 1024 ** 2

/** Which document of which refused record. */
export interface RedrivenDocument {
  /** The key of the object that keeps the record. */
  readonly object: string
  /** The line in it, from 0. */
  readonly line: number
  /** Which of the record's documents, from 0. */
  readonly index: number
  /** How many documents the record has. */
  readonly of: number
}

/** Beside an archive, not of it: no key begins with a dot. Throws a `FileError` where it is a link. */
export function archiveLedger(root: string): string {
  refuseLinks(root, LEDGER_FILE)
  return join(root, LEDGER_FILE)
}

/** The ledger of a bucket, where no other is named: in the working folder. */
export function bucketLedger(bucket: string): Ledger {
  return Ledger.open(`redriven-${bucket}.ndjson`, `s3://${bucket}`)
}

/**
 * Remembers what was sent again, because refused objects are kept as they are. It only saves work: what is sent twice
 * has one `event_id`. A document is known by its place, not by its bytes, so one that is refused again, which makes a
 * new object, counts anew.
 */
export class Ledger {
  private readonly records = new Map<string, { readonly indexes: Set<number>; readonly of: number }>()
  private startsLine = true

  private constructor(
    private readonly path: string,
    private readonly source: string,
  ) {}

  /**
   * Reads a ledger, which need not be there yet. `source` is the archive or the bucket that keeps the refused objects.
   */
  static open(path: string, source: string): Ledger {
    const ledger = new Ledger(path, source)
    if (!existsSync(path)) return ledger
    const lines = String(readBounded(path, path, { maxBytes: MAX_BYTES }))
    ledger.startsLine = lines === '' || lines.endsWith('\n')
    for (const line of lines.split('\n')) if (line !== '') ledger.read(line)
    return ledger
  }

  has({ object, line, index }: RedrivenDocument): boolean {
    return this.records.get(placeOf(object, line))?.indexes.has(index) === true
  }

  /** True where every document of a record was sent again. */
  isDone({ object, line }: Pick<RedrivenDocument, 'object' | 'line'>): boolean {
    const record = this.records.get(placeOf(object, line))
    return record !== undefined && record.indexes.size >= record.of
  }

  /** Remembers documents for good, before it returns. `at` in milliseconds since 1970. */
  add(documents: readonly RedrivenDocument[], to: string, at: number): void {
    const lines = new Map<string, RedrivenDocument[]>()
    for (const document of documents) {
      const place = placeOf(document.object, document.line)
      lines.set(place, [...(lines.get(place) ?? []), document])
    }
    const text = [...lines.values()].map(([first, ...more]) => {
      const { object, line, of } = first as RedrivenDocument
      const indexes = [first as RedrivenDocument, ...more].map(({ index }) => index)
      const sent = { from: this.source, object, line, documents: indexes, of, to, at: new Date(at).toISOString() }
      return `${JSON.stringify({ ...sent, sha256: hashOf(sent) })}\n`
    })
    // a process that was killed may have left half a line
    makeFolder(dirname(this.path))
    writeDurably(this.path, `${this.startsLine ? '' : '\n'}${text.join('')}`, 'a')
    this.startsLine = true
    for (const { object, line, index, of } of documents) this.note(object, line, of, [index])
  }

  private read(text: string): void {
    try {
      const { sha256, ...sent } = checkJson(text, sentAgain, this.path)
      const { from, object, line, documents, of } = sent
      // a flipped digit would mark another record as sent
      if (from === this.source && sha256 === hashOf(sent)) this.note(object, line, of, documents)
    } catch (error) {
      // half a line, or none of ours: what it would have said is sent once more
      if (!(error instanceof FileError)) throw error
    }
  }

  private note(object: string, line: number, of: number, indexes: readonly number[]): void {
    const place = placeOf(object, line)
    const record = this.records.get(place) ?? { indexes: new Set(), of }
    for (const index of indexes) record.indexes.add(index)
    this.records.set(place, record)
  }
}

function hashOf({ from, object, line, documents, of, to, at }: Omit<z.infer<typeof sentAgain>, 'sha256'>): string {
  return hash('sha256', JSON.stringify([from, object, line, documents, of, to, at]))
}

function placeOf(object: string, line: number): string {
  return `${line} ${object}`
}
