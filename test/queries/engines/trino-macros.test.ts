import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DuckDbEngine } from '../../../queries/engines/duckdb.js'
import { rowsOf, type Value } from '../../../queries/engines/rows.js'
import { temporaryFolder } from '../../delivery/desk.js'

/**
 * What Trino 476 answers, by its documentation and by trial: where DuckDB alone would say something else, it says why.
 */
const ANSWERS: readonly (readonly [sql: string, answer: Value])[] = [
  // DuckDB divides into a double
  ['1 / 2', 0],
  ['-7 / 2', -3],
  ['cast(7 as double) / 2', 3.5],
  ['cast(1500000 as double) / 1000000', 1.5],
  // DuckDB passes over null and answers with the last live image
  ["max_by(x, y) from (values ('live', 1), (null, 2)) as t(x, y)", null],
  ["min_by(x, y) from (values (null, 1), ('live', 2)) as t(x, y)", null],
  ["max_by(x, y) from (values ('a', 1), ('b', 2)) as t(x, y)", 'b'],
  // DuckDB gives the JSON text of objects and arrays
  ['json_extract_scalar(\'{"a":{"b":1}}\', \'$.a\')', null],
  ["json_extract_scalar('{\"a\":[1]}', '$.a')", null],
  ["json_extract_scalar('{\"a\":[1]}', '$.a[0]')", '1'],
  ['json_extract_scalar(\'{"S":"x"}\', \'$.S\')', 'x'],
  ['json_extract_scalar(\'{"S":""}\', \'$.S\')', ''],
  ["json_extract_scalar('{\"S\":null}', '$.S')", null],
  ["json_extract_scalar('{\"S\":true}', '$.S')", 'true'],
  ["json_extract_scalar('{\"N\":1}', '$.S')", null],
  ['json_extract_scalar(\'{"a b":"x"}\', \'$["a b"]\')', 'x'],
  ["json_extract_scalar('no JSON', '$.a')", null],
  ["json_extract_scalar(null, '$.a')", null],
  // DuckDB counts boundaries
  ["date_diff('day', timestamp '2026-11-21 23:59:59', timestamp '2026-11-22 00:00:00')", 0n],
  ["date_diff('day', timestamp '2026-11-21 00:00:00', timestamp '2026-11-22 00:00:00')", 1n],
  ["date_diff('hour', timestamp '2026-11-22 10:30:00', timestamp '2026-11-22 09:00:00')", -1n],
  // DuckDB replaces the first only
  ["regexp_replace('a-b-c', '-', '+')", 'a+b+c'],
  [String.raw`regexp_replace('a-b', '([a-z])-', '$1\$1+')`, 'a$1+b'],
  ["regexp_like('abc', 'b')", true],
  ["regexp_like('abc', '^b')", false],
  ["element_at(map {'a': 1}, 'a')", 1],
  // DuckDB has no such function, and no macro takes a lambda
  ["array_join(transform(array['a', 'b'], x -> x || '+'), ',')", 'a+,b+'],
  ["'transform(' /* transform( */ || 'it''s transform(x)'", "transform(it's transform(x)"],
  ["element_at(map {'a': 1}, 'z')", null],
  ['element_at(cast(json_parse(\'{"a":{"S":"x"}}\') as map(varchar, json)), \'a\')', '{"S":"x"}'],
  ['json_format(json_parse(\'{"a":"ü"}\'))', '{"a":"ü"}'],
  ["cardinality(['a', 'b'])", 2n],
  ["cardinality(array_remove(['a', 'b', 'a'], 'a'))", 1n],
  ["array_join(['a', 'b'], '-')", 'a-b'],
  ["levenshtein_distance('ORD12345', 'ORD12354')", 2n],
  ["map_agg(k, v) from (values ('a', 1)) as t(k, v)", '[{"key":"a","value":1}]'],
  ["approx_distinct(x) from (values ('a'), ('b'), ('a')) as t(x)", 2n],
  ["lower(to_hex(sha256(to_utf8('abc'))))", 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ["from_utf8(to_utf8('ü'))", 'ü'],
  ["date_format(timestamp '2026-11-02 03:04:05', '%Y-%m-%d')", '2026-11-02'],
  ["from_iso8601_timestamp('2026-11-22T12:00:00+02:00')", '2026-11-22T10:00:00.000Z'],
  ["from_iso8601_timestamp_nanos('2026-11-22T10:00:00.123456Z')", '2026-11-22T10:00:00.123456Z'],
  ["from_unixtime(to_unixtime(from_iso8601_timestamp('2026-11-22T10:00:00Z')))", '2026-11-22T10:00:00.000Z'],
  ["to_iso8601(timestamp '2026-11-22 10:00:00.120')", '2026-11-22T10:00:00.120'],
  // the session's zone is UTC wherever the desk stands
  ["cast(timestamp '2026-11-22 10:00:00' as timestamptz)", '2026-11-22T10:00:00.000Z'],
]

describe("Trino's functions on DuckDB", () => {
  let engine: DuckDbEngine
  beforeAll(async () => {
    engine = await DuckDbEngine.open(temporaryFolder())
  })
  afterAll(() => engine.close())

  for (const [sql, answer] of ANSWERS) {
    it(`${sql} is ${String(answer)}`, async () => {
      const [row] = [
        ...rowsOf(
          await engine.run(`select ${sql.includes(' from ') ? sql.replace(' from ', ' as v from ') : `${sql} as v`}`),
        ),
      ]
      expect(row?.v).toEqual(answer)
    })
  }
})
