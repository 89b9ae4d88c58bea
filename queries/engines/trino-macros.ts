import { tokensOf } from './statement.js'

/**
 * Trino's functions on DuckDB, so that one SQL text serves both: where DuckDB has no such function, or has one of that
 * name that answers otherwise without a word. One text of statements: to run each alone takes twice as long.
 */
export const TRINO_MACROS = [
  "set global TimeZone = 'UTC'",
  // Trino divides integers as integers
  'set global integer_division = true',
  // Trino writes lambdas with an arrow
  "set global lambda_syntax = 'ENABLE_SINGLE_ARROW'",
  'create macro from_iso8601_timestamp(s) as cast(s as timestamptz)',
  'create macro from_iso8601_timestamp_nanos(s) as cast(s as timestamptz)',
  // epoch() is off in the last microsecond from the year 2038
  'create macro to_unixtime(t) as cast(epoch_us(t) as double) / 1000000',
  // a moment as the clock of a place shows it; Trino writes the zone behind it
  'create macro at_timezone(t, z) as timezone(z, t)',
  'create macro day_of_week(t) as isodow(t)',
  'create macro from_unixtime(s) as to_timestamp(s)',
  "create macro to_iso8601(t) as strftime(t, '%Y-%m-%dT%H:%M:%S.%g')",
  'create macro date_format(t, f) as strftime(t, f)',
  // Trino counts whole units, DuckDB's date_diff counts boundaries
  'create macro date_diff(u, a, b) as date_sub(u, a, b)',
  // Trino gives null for an object or an array, and takes $["a b"]
  `create macro json_extract_scalar(j, p) as
     case when json_valid(j) and coalesce(
       json_type(j, system.main.regexp_replace(p, '\\["([^"]+)"\\]', '."\\1"', 'g')), 'NULL'
     ) not in ('OBJECT', 'ARRAY', 'NULL')
     then json_extract_string(j, system.main.regexp_replace(p, '\\["([^"]+)"\\]', '."\\1"', 'g')) end`,
  'create macro json_parse(s) as json(s)',
  'create macro json_format(j) as cast(j as varchar)',
  // DuckDB's max_by passes over null: the last live image of an item that was deleted since
  'create macro max_by(x, y) as arg_max_null(x, y)',
  'create macro min_by(x, y) as arg_min_null(x, y)',
  // a group is $1 in Trino and \1 in DuckDB, and a dollar \$ in Trino
  String.raw`create macro regexp_replace(s, p, r) as system.main.regexp_replace(
     s, p, replace(system.main.regexp_replace(r, '(^|[^\\])\$([0-9])', '\1\\\2', 'g'), '\$', '$'), 'g'
   )`,
  'create macro regexp_like(s, p) as regexp_matches(s, p)',
  'create macro element_at(m, k) as m[k]',
  'create macro sequence(a, b) as range(cast(a as bigint), cast(b as bigint) + 1)',
  'create macro json_array_get(j, i) as json_extract(j, i)',
  'create macro levenshtein_distance(a, b) as levenshtein(a, b)',
  'create macro cardinality(x) as len(x)',
  'create macro array_remove(x, e) as list_filter(x, lambda y: y <> e)',
  "create macro map_agg(k, v) as map_from_entries(list({'k': k, 'v': v}))",
  'create macro array_join(a, s) as array_to_string(a, s)',
  'create macro approx_distinct(x) as approx_count_distinct(x)',
  'create macro to_utf8(s) as encode(s)',
  'create macro from_utf8(b) as decode(b)',
  'create macro sha256(b) as unhex(system.main.sha256(b))',
  // of 16 only, the one base that statements use
  "create macro from_base(s, b) as cast('0x' || s as bigint)",
  'create macro to_hex(b) as upper(system.main.hex(b))',
].join(';\n')

/** A statement as DuckDB has its functions: no macro of it takes a lambda, so what takes one goes by DuckDB's name. */
export function namedAsInDuckDb(sql: string): string {
  if (!/\btransform\s*\(/i.test(sql)) return sql
  const tokens = tokensOf(sql)
  let [text, end] = ['', 0]
  for (const [i, token] of tokens.entries()) {
    if (token.text !== 'transform' || tokens[i + 1]?.text !== '(') continue
    text += `${sql.slice(end, token.start)}list_transform`
    end = token.end
  }
  return text + sql.slice(end)
}
