import type { ReconcileSource } from '../../../restore/reconcile-source.js'
import { type FindingKind, isExplained, type ReconcileFinding } from '../../../restore/reconciliation.js'
import { factInstant } from '../../../transform/fact.js'
import { EXIT, type ExitCode, type Io } from '../../io.js'
import { showErasure } from '../../show/confidence.js'
import { showDifferences, showPath } from '../../show/item.js'
import { showItemKey } from '../../show/item-key.js'
import type { Telling, TextFormat } from '../../show/output-format.js'
import { grouped } from '../../show/progress.js'
import { paint } from '../../show/terminal.js'
import { printable } from '../../show/text.js'

/** Items that are shown with their differences where people read. */
const MOST_FINDINGS = 50

const KIND_WORDS: Readonly<Record<FindingKind, string>> = {
  'missing-in-archive': 'missing in the archive',
  'missing-in-table': 'missing in the table',
  different: 'different',
  'changed-meanwhile': 'changed meanwhile',
  unknown: 'not known to the archive',
  erased: 'ERASED: equal in all that can be compared',
  'config-boundary': 'CONFIG-BOUNDARY: equal in all that can be compared',
}

/** Tells what a comparison finds while it goes on, in the format asked for, and how it ended. */
export class ReconcileReport {
  private readonly counts = new Map<FindingKind, number>()
  private readonly telling: Telling
  private shown = 0
  private table = ''
  private source: ReconcileSource | undefined

  constructor(
    format: TextFormat,
    private readonly io: Io,
  ) {
    this.telling = format.tell(io)
  }

  /** True where of every item it can be said whether it is equal. */
  get isWhole(): boolean {
    return this.count('changed-meanwhile') === 0 && this.count('unknown') === 0
  }

  begin(table: string, source: ReconcileSource): void {
    this.table = table
    this.source = source
    this.telling.list('findings')
  }

  add(finding: ReconcileFinding, side: 'from' | 'to'): void {
    this.counts.set(finding.kind, this.count(finding.kind) + 1)
    this.telling.piece(
      () => this.describe(finding, side),
      () => this.print(finding, side),
    )
    this.shown++
  }

  /** `key` is that of the fact that was written. */
  end(items: number, to: string, key: string | undefined): ExitCode {
    this.telling.members(this.summary(items, to, key))
    this.telling.page(() => this.printLeftOut())
    const colour = this.wrong > 0 ? 'red' : this.isWhole ? 'green' : 'yellow'
    this.telling.summary(io => io.out(`${paint(io, colour, this.verdict(items))}\n`))
    this.telling.page(() => this.printAdvice(key))
    this.telling.end()
    if (this.wrong > 0) return EXIT.findings
    return this.isWhole ? EXIT.done : EXIT.unchecked
  }

  private get wrong(): number {
    return this.count('missing-in-archive') + this.count('missing-in-table') + this.count('different')
  }

  private count(kind: FindingKind): number {
    return this.counts.get(kind) ?? 0
  }

  private print(finding: ReconcileFinding, side: 'from' | 'to'): void {
    if (this.shown >= MOST_FINDINGS) return
    const isOpen = finding.kind === 'changed-meanwhile' || finding.kind === 'unknown'
    const colour = isExplained(finding) ? 'green' : isOpen ? 'yellow' : 'red'
    const when = this.source?.tellsBefore === true ? ` at ${this.instantOf(side)}` : ''
    this.io.out(
      `${showItemKey(finding.itemKey)}  ${paint(this.io, colour, KIND_WORDS[finding.kind])}${when}${erasedBy(finding)}\n`,
    )
    const lines = finding.kind === 'different' ? showDifferences(finding.differences, this.io, '    ') : []
    if (lines.length > 0) this.io.out(`${lines.join('\n')}\n`)
  }

  private printLeftOut(): void {
    if (this.shown > MOST_FINDINGS)
      this.io.out(`and ${grouped(this.shown - MOST_FINDINGS)} further ones: --format ndjson tells all\n`)
  }

  private printAdvice(key: string | undefined): void {
    if (key !== undefined) this.io.out(`  ${printable(key)} keeps that\n`)
    if (this.wrong > 0 && this.source?.kind === 'scan')
      this.io.err('a change that has not arrived yet shows as a difference: --wait SECONDS gives it time\n')
    if (this.count('changed-meanwhile') > 0)
      this.io.err(
        'what changed while the table was read is not judged: --wait SECONDS lets it settle, or run it again\n',
      )
  }

  private verdict(items: number): string {
    const what = `${grouped(items)} ${items === 1 ? 'item' : 'items'} of ${this.table} and ${printable(this.source?.source ?? '')}`
    const parts = [...this.counts].map(([kind, count]) => `${grouped(count)} ${KIND_WORDS[kind]}`)
    return this.wrong === 0 && this.isWhole
      ? `equal  ${what}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`
      : `${this.wrong > 0 ? 'differs' : 'not settled'}  ${what}: ${parts.join(', ')}`
  }

  private instantOf(side: 'from' | 'to'): string {
    const source = this.source as ReconcileSource
    return factInstant(side === 'from' ? source.fromUs : source.toUs())
  }

  private describe(finding: ReconcileFinding, side: 'from' | 'to'): object {
    const { kind, itemKey, archived, told, differences } = finding
    return {
      finding: kind,
      item_key: JSON.parse(itemKey) as object,
      at: this.instantOf(side),
      archive_hash: archived?.hash ?? null,
      table_hash: told?.hash ?? null,
      certificates: finding.erasures.flatMap(({ certificate }) => certificate ?? []),
      differences: differences.map(({ kind: difference, path, before, after }) => ({
        kind: difference,
        path: showPath(path),
        archive: before ?? null,
        table: after ?? null,
      })),
    }
  }

  private summary(items: number, to: string, key: string | undefined): object {
    const source = this.source as ReconcileSource
    return {
      table: this.table,
      equal: this.wrong === 0 && this.isWhole,
      compared_with: source.kind,
      source: source.source,
      from: factInstant(source.fromUs),
      to,
      items,
      missing_in_archive: this.count('missing-in-archive'),
      missing_in_table: this.count('missing-in-table'),
      different: this.count('different'),
      changed_meanwhile: this.count('changed-meanwhile'),
      unknown: this.count('unknown'),
      erased: this.count('erased'),
      config_boundary: this.count('config-boundary'),
      fact: key ?? null,
    }
  }
}

function erasedBy({ erasures }: ReconcileFinding): string {
  return erasures.length === 0 ? '' : `  [${erasures.map(showErasure).join(', ')}]`
}
