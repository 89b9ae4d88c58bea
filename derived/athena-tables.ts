import { quotedName } from '../queries/engines/literal.js'
import { AUDIT_COLUMNS } from '../transform/audit-row.js'
import { BUCKET_COLUMN, FOLDER_COLUMN, folderOf } from '../transform/derived.js'
import { PARTITION_COLUMN } from '../transform/layout.js'
import {
  answersIdentifier,
  checkpointsIdentifier,
  copyIdentifier,
  deliveriesIdentifier,
  type NamedTable,
} from '../transform/table-names.js'
import { daysSql } from './days-sql.js'
import type { BucketsMeant, DaysMeant, DerivedTables } from './reader.js'

/** The columns that every table has. */
export const ROW_COLUMNS = [...AUDIT_COLUMNS.map(({ name }) => quotedName(name)), PARTITION_COLUMN].join(', ')

/** A table's archive and what is derived from it, in the SQL of Athena. */
export class AthenaTables implements DerivedTables {
  readonly onDesk = false
  /** As they stand in SQL. */
  readonly archive: string
  readonly copy: string
  private readonly checkpoints: string
  private readonly answers: string

  constructor(database: string, table: NamedTable) {
    const inDatabase = (name: string) => `${quotedName(database)}.${quotedName(name)}`
    this.archive = inDatabase(deliveriesIdentifier(table))
    this.copy = inDatabase(copyIdentifier(table))
    this.checkpoints = inDatabase(checkpointsIdentifier(table))
    this.answers = inDatabase(answersIdentifier(table))
  }

  ofArchive(days: DaysMeant): readonly string[] {
    return [`select ${ROW_COLUMNS}\n  from ${this.archive}${whereOf(days)}`]
  }

  ofRuns(runs: readonly BucketsMeant[]): readonly string[] {
    const places = runs.flatMap(({ run, days, buckets }) =>
      buckets.map(bucket => ({ folder: folderOf(run, bucket), bucket, days })),
    )
    if (places.length === 0) return []
    const from = ({ folder, bucket, days }: (typeof places)[number]) =>
      `${FOLDER_COLUMN} = '${folder}' and ${BUCKET_COLUMN} = '${bucket}' and ${daysSql(days)}`
    // said twice, because injected partitions want to be listed, and a run of few buckets has no folder of one among
    // many
    const rows = `select ${ROW_COLUMNS}
  from ${this.copy}
  cross join unnest(sequence(0, repeats)) as deliveries(delivery)
  where ${FOLDER_COLUMN} in (${textList(places.map(({ folder }) => folder))})
    and ${BUCKET_COLUMN} in (${textList([...new Set(places.map(({ bucket }) => bucket))])})
    and (${places.map(from).join('\n      or ')})`
    return [rows]
  }

  ofCheckpoint(name: string): string {
    return `select ${ROW_COLUMNS}\n  from ${this.checkpoints}\n  where ${FOLDER_COLUMN} = '${name}'`
  }

  ofAnswer(name: string, columns: readonly string[]): string {
    return `select ${columns.join(', ')}\n  from ${this.answers}\n  where ${FOLDER_COLUMN} = '${name}'`
  }
}

function whereOf(days: DaysMeant): string {
  if ('not' in days) return days.not.length === 0 ? '' : `\n  where not ${daysSql(days.not)}`
  const later = days.after === undefined ? '' : `\n    and ${PARTITION_COLUMN} > '${days.after}'`
  return `\n  where ${PARTITION_COLUMN} <= '${days.upTo}'${later}`
}

/** Texts as a list in SQL: none of them has a quote. */
export function textList(texts: readonly string[]): string {
  return texts.map(text => `'${text}'`).join(', ')
}
