import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ParquetConverter } from '../delivery/parquet-conversion.js'
import { type Column, columnsOf } from '../transform/audit-row.js'
import { transformRecord } from '../transform/transform.js'
import { ARRIVAL } from './events.js'
import { ORDERS, orderRecords } from './orders.js'
import { compareCpu, type Finding, PAIRS, type Suite, type SuiteResult, showSpread } from './suite.js'

export interface WritersSize {
  readonly rows: number
  readonly rounds: number
}

const FULL: WritersSize = { rows: 20_000, rounds: PAIRS }
const LEAST_FACTOR = 10

export const suite: Suite = {
  name: 'parquet-writers',
  question: 'what does writing the rows as Parquet cost beside the other writers?',
  run: note => measureWriters(FULL, note),
}

/** The suite at any size: a test runs it small. */
export async function measureWriters(
  { rows, rounds }: WritersSize,
  note: (text: string) => void,
): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-writers-'))
  const columns = columnsOf(ORDERS)
  const converter = await ParquetConverter.create()
  try {
    note(`making ${rows} rows`)
    const lines = linesOf(rows)
    const [linesPath, oursPath, theirsPath] = ['rows.ndjson', 'ours.parquet', 'theirs.parquet'].map(name =>
      join(folder, name),
    ) as [string, string, string]
    writeFileSync(linesPath, lines)
    const objects = lines
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Row)
    note('writing')
    const costs = await compareCpu(
      {
        ours: () => converter.convert(linesPath, oursPath, columns, rows),
        'parquetjs-lite': () => writeWithParquetjs(theirsPath, objects, columns),
      },
      rounds,
    )
    const factor = costs['parquetjs-lite'].ratio
    const size = (path: string) => `${(statSync(path).size / rows).toFixed(0)} bytes a row`
    const pyarrow = measurePyarrow(linesPath, join(folder, 'pyarrow.parquet'))
    const findings: Finding[] = [
      {
        what: 'Parquet from row lines: DuckDB COPY, zstd',
        against: 'parquetjs-lite from ready objects, snappy',
        figure: `${showSpread(factor, 1)} x less CPU; ${size(oursPath)} against ${size(theirsPath)}`,
        target: `at least ${LEAST_FACTOR} x`,
        reached: factor.median >= LEAST_FACTOR,
      },
    ]
    if (pyarrow !== undefined) {
      findings.push({
        what: 'Parquet from row lines: DuckDB COPY, zstd',
        against: 'pyarrow from lists, zstd, in a process of its own',
        figure: `${(pyarrow / costs.ours.cpuMs.median).toFixed(1)} x less CPU`,
      })
    }
    return {
      findings,
      remarks: [
        `${rows} rows of ${columns.length} columns, as the transform makes them. Ours parses the row lines too; the others are given objects.`,
      ],
      leftOut: [
        'hyparquet-writer: it is not among the dependencies',
        ...(pyarrow === undefined ? ['pyarrow: python3 cannot import it here'] : []),
      ],
    }
  } finally {
    converter.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Row = Readonly<Record<string, unknown>>

function linesOf(rows: number): string {
  let lines = ''
  for (const record of orderRecords({ count: rows })) {
    const transformed = transformRecord(Buffer.from(record), ARRIVAL, ORDERS)
    if (transformed.kind === 'refused') throw new Error(transformed.reason)
    lines += transformed.lines
  }
  return lines
}

interface Parquetjs {
  readonly ParquetSchema: new (fields: Readonly<Record<string, object>>) => object
  readonly ParquetWriter: {
    openFile(
      schema: object,
      path: string,
    ): Promise<{ appendRow(row: Row): Promise<void>; close(): Promise<void>; setRowGroupSize(rows: number): void }>
  }
}

/** It has no decimal, and its timestamps have no zone: for it these columns are texts. */
async function writeWithParquetjs(path: string, rows: readonly Row[], columns: readonly Column[]): Promise<void> {
  const { ParquetSchema, ParquetWriter } = createRequire(import.meta.url)('parquetjs-lite') as Parquetjs
  const fields = columns.map(({ name, type }) => [
    name,
    {
      type: type === 'boolean' ? 'BOOLEAN' : type === 'bigint' ? 'INT64' : 'UTF8',
      optional: true,
      compression: 'SNAPPY',
      ...(type === 'array<string>' ? { repeated: true } : {}),
    },
  ])
  const writer = await ParquetWriter.openFile(new ParquetSchema(Object.fromEntries(fields)), path)
  writer.setRowGroupSize(20_000)
  for (const row of rows) await writer.appendRow(row)
  await writer.close()
}

const PYTHON = `
import json, resource, sys, time
import pyarrow, pyarrow.parquet
rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
names = list(dict.fromkeys(name for row in rows for name in row))
before = time.process_time()
table = pyarrow.table({name: [row.get(name) for row in rows] for name in names})
pyarrow.parquet.write_table(table, sys.argv[2], compression="zstd")
print((time.process_time() - before) * 1000)
`

/** Milliseconds of CPU, undefined where there is no pyarrow. */
function measurePyarrow(linesPath: string, path: string): number | undefined {
  const { status, stdout } = spawnSync('python3', ['-c', PYTHON, linesPath, path], { encoding: 'utf8' })
  return status === 0 ? Number(stdout) : undefined
}
