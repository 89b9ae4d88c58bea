import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { snakeCase } from '../../config/column-names.js'
import { parseConfiguration, readConfiguration, tableConfiguration } from '../../config/configuration.js'
import { ConfigurationError } from '../../config/problems.js'
import { unconfiguredTable } from '../../transform/table-configuration.js'

const PATH = 'itemtrail.config.json'

function problemsOf(text: string): readonly string[] {
  return catchError(() => parseConfiguration(text, PATH)).problems
}

const problemsIn = (file: object) => problemsOf(JSON.stringify(file))
const problemsInOrders = (table: object) => problemsIn({ tables: { Orders: table } })
const orders = (table: object) =>
  parseConfiguration(JSON.stringify({ tables: { Orders: table } }), PATH).tables.get('Orders')

describe('a configuration', () => {
  test('is read and normalised as the design shows it', () => {
    const text = `
      { "$schema": "./docs/itemtrail.schema.json",
        "lock": { "mode": "governance", "days": 2557 },
        "tables": {
          "Orders": {
            "capture": "streams",
            "since": "2026-11-22",
            "keys": ["order_id"],
            "actor": "updated_by",
            "columns": {
              "status": "string",
              "total": "decimal(12,2)",
              "city": { "attribute": "shipping.city", "type": "string" } },
            "lifecycle": { "attribute": "status", "allowed": [["PENDING", "PROCESSING"], ["PENDING", "CANCELLED"]] } } } }`
    expect(parseConfiguration(text, PATH)).toStrictEqual({
      lock: { mode: 'governance', days: 2557 },
      refusedDays: 365,
      scanCutoffGb: 100,
      compact: false,
      canary: false,
      notify: [],
      deployments: new Map([['Orders', { reconcile: false, buffer: { mb: 128, seconds: 900 } }]]),
      tables: new Map([
        [
          'Orders',
          {
            table: 'Orders',
            capture: 'streams',
            since: '2026-11-22',
            keys: [{ column: 'order_id', attribute: 'order_id' }],
            actor: ['updated_by'],
            columns: [
              { column: 'status', path: ['status'], type: 'string' },
              { column: 'total', path: ['total'], type: 'decimal(12,2)' },
              { column: 'city', path: ['shipping', 'city'], type: 'string' },
            ],
            lifecycle: {
              path: ['status'],
              allowed: [
                ['PENDING', 'PROCESSING'],
                ['PENDING', 'CANCELLED'],
              ],
            },
          },
        ],
      ]),
    })
  })

  test('may say nothing', () => {
    expect(parseConfiguration('{}', PATH)).toStrictEqual({
      refusedDays: 365,
      scanCutoffGb: 100,
      compact: false,
      canary: false,
      notify: [],
      tables: new Map(),
      deployments: new Map(),
    })
    expect(orders({})).toStrictEqual(unconfiguredTable('Orders'))
  })

  test('takes an array of names as it is and splits a text at its dots', () => {
    const columns = {
      a: { attribute: ['shipping.city'], type: 'json' },
      b: { attribute: 'shipping.city', type: 'json' },
    }
    expect(orders({ columns })?.columns.map(({ path }) => path)).toEqual([['shipping.city'], ['shipping', 'city']])
  })

  test('names a column after the attribute unless "attribute" is given', () => {
    const columns = { orderStatus: { type: 'string' }, placed: { attribute: 'placedAt', type: 'timestamp', unit: 's' } }
    expect(orders({ columns })?.columns).toStrictEqual([
      { column: 'order_status', path: ['orderStatus'], type: 'string' },
      { column: 'placed', path: ['placedAt'], type: 'timestamp', unit: 's' },
    ])
  })

  test('takes an alias for a key', () => {
    expect(orders({ keys: ['PK', { attribute: 'sk#1', column: 'sort_key' }] })?.keys).toStrictEqual([
      { column: 'pk', attribute: 'PK' },
      { attribute: 'sk#1', column: 'sort_key' },
    ])
  })

  test('has an unconfigured table where it names none', () => {
    const configuration = parseConfiguration('{"tables":{"Orders":{"capture":"kinesis"}}}', PATH)
    expect(tableConfiguration(configuration, 'Orders').capture).toBe('kinesis')
    expect(tableConfiguration(configuration, 'Users')).toStrictEqual(unconfiguredTable('Users'))
    expect(tableConfiguration(undefined, 'Users')).toStrictEqual(unconfiguredTable('Users'))
  })
})

test.each([
  ['status', 'status'],
  ['orderStatus', 'order_status'],
  ['OrderStatus', 'order_status'],
  ['shipToURL', 'ship_to_url'],
  ['HTTPStatus', 'http_status'],
  ['GSI1PK', 'gsi1_pk'],
  ['already_snake', 'already_snake'],
])('makes the column name of %s %s', (attribute, column) => {
  expect(snakeCase(attribute)).toBe(column)
})

const TYPES =
  'one of string, number, json, bigint, double, boolean, timestamp, decimal(p,s) with 1 <= p <= 38 and 0 <= s <= p'
const DAYS = 'a whole number from 1 to 36500'

describe('refuses', () => {
  test.each([
    [[], 'the configuration is [], expected an object'],
    [{ refused_days: 30 }, 'refused_days is unknown, did you mean "refusedDays"?'],
    [
      { colour: 1 },
      'colour is unknown, expected one of $schema, lock, refusedDays, scanCutoffGb, compact, seal, callers, canary, erasure, environment, notify, athena, tables',
    ],
    [{ seal: 'yes' }, 'seal is "yes", expected true, false, or an object with origin, key, mail'],
    [
      { seal: { origin: 'a b' } },
      'seal.origin is "a b", expected a name without white space and "+", at most 255 characters',
    ],
    [{ seal: { mail: ['x'] } }, 'seal.mail[0] is "x", expected an e-mail address'],
    [{ refusedDays: 0 }, `refusedDays is 0, expected ${DAYS}`],
    [{ refusedDays: 1.5 }, `refusedDays is 1.5, expected ${DAYS}`],
    [{ lock: 'none' }, 'lock is "none", expected an object'],
    [{ lock: {} }, 'lock.mode is missing, expected "none", "governance" or "compliance"'],
    [{ lock: { mode: 'worm' } }, 'lock.mode is "worm", expected "none", "governance" or "compliance"'],
    [{ lock: { mode: 'none', days: 1 } }, 'lock.days is unknown, expected one of mode'],
    [{ lock: { mode: 'governance' } }, `lock.days is missing, expected ${DAYS}`],
    [{ lock: { mode: 'governance', days: 36_501 } }, `lock.days is 36501, expected ${DAYS}`],
    [
      { lock: { mode: 'compliance', days: 1 } },
      'lock.confirm is missing, expected true, because nobody can undo a compliance lock',
    ],
    [
      { lock: { mode: 'compliance', days: 1, confirm: 'yes' } },
      'lock.confirm is "yes", expected true, because nobody can undo a compliance lock',
    ],
    [{ tables: ['Orders'] }, 'tables is ["Orders"], expected an object'],
    [{ tables: { Orders: null } }, 'tables.Orders is null, expected an object'],
    [{ tables: { ab: {} } }, 'tables.ab is no table name, expected 3 to 255 letters, digits, "_", "-" or "."'],
    [
      { tables: { 'a b c': {} } },
      'tables["a b c"] is no table name, expected 3 to 255 letters, digits, "_", "-" or "."',
    ],
  ])('the file %j', (file, problem) => {
    expect(problemsIn(file)).toEqual([problem])
  })

  test.each([
    [{ column: {} }, 'column is unknown, did you mean "columns"?'],
    [{ capture: 'stream' }, 'capture is "stream", expected "streams" or "kinesis"'],
    [{ since: '2026-02-30' }, 'since is "2026-02-30", expected a day as YYYY-MM-DD'],
    [{ since: '22.11.2026' }, 'since is "22.11.2026", expected a day as YYYY-MM-DD'],
    [{ keys: [] }, 'keys is [], expected an array of one or two different key attributes'],
    [{ keys: 'id' }, 'keys is "id", expected an array of one or two different key attributes'],
    [{ keys: ['a', 'b', 'c'] }, 'keys is ["a","b","c"], expected an array of one or two different key attributes'],
    [{ keys: ['a', 'a'] }, 'keys is ["a","a"], expected an array of one or two different key attributes'],
    [{ keys: [1] }, 'keys[0] is 1, expected a name, or an object with "attribute" and "column"'],
    [{ keys: [{ attribute: 'a' }] }, 'keys[0].column is missing, expected a column name'],
    [{ actor: 'a..b' }, 'actor is "a..b", expected attribute names joined by dots, or an array of names'],
    [{ actor: [] }, 'actor is [], expected attribute names joined by dots, or an array of names'],
    [{ actor: ['a', ''] }, 'actor[1] is "", expected an attribute name'],
    [{ actor: '\ud800' }, 'actor is "\\ud800", expected attribute names joined by dots, or an array of names'],
    [{ columns: ['status'] }, 'columns is ["status"], expected an object'],
    [{ columns: { a: 1 } }, 'columns.a is 1, expected a type, or an object with a type'],
    [{ columns: { a: 'text' } }, `columns.a is "text", expected ${TYPES}`],
    [{ columns: { a: {} } }, `columns.a.type is missing, expected ${TYPES}`],
    [
      { columns: { a: { type: 'json', path: 'x' } } },
      'columns.a.path is unknown, expected one of attribute, type, unit',
    ],
    [{ columns: { a: { type: 'timestamp', unit: 'us' } } }, 'columns.a.unit is "us", expected "s" or "ms"'],
    [
      { columns: { a: { type: 'bigint', unit: 's' } } },
      'columns.a.unit is "s", expected no unit, which only type "timestamp" has',
    ],
    [{ lifecycle: { attribute: 'a' } }, 'lifecycle.allowed is missing, expected an array of pairs [from, to]'],
    [
      { lifecycle: { attribute: 'a', allowed: [['A', 'B', 'C']] } },
      'lifecycle.allowed[0] is ["A","B","C"], expected a pair [from, to]',
    ],
    [{ lifecycle: { attribute: 'a', allowed: [['A', 1]] } }, 'lifecycle.allowed[0][1] is 1, expected a status'],
  ])('the table %j', (table, problem) => {
    expect(problemsInOrders(table)).toEqual([`tables.Orders.${problem}`])
  })

  test.each(['decimal(40,2)', 'decimal(2,3)', 'decimal(0,0)', 'decimal(12)', 'decimal(12,-1)', 'decimal(012,2)'])(
    'the type %s',
    type => {
      expect(problemsInOrders({ columns: { total: type } })).toEqual([
        `tables.Orders.columns.total is "${type}", expected decimal(p,s) with 1 <= p <= 38 and 0 <= s <= p`,
      ])
    },
  )

  const RULE = 'expected lower-case letters, digits and "_", a letter first, at most 251 characters'
  test.each([
    [
      { columns: { '2fa': 'boolean' } },
      `columns["2fa"] makes the column name "2fa", ${RULE}: an alias is required, such as "fa": { "attribute": "2fa", "type": "boolean" }`,
    ],
    [
      { columns: { 'shipping.city': 'string' } },
      `columns["shipping.city"] makes the column name "shipping.city", ${RULE}: an alias is required, such as "shipping_city": { "attribute": "shipping.city", "type": "string" }`,
    ],
    [
      { columns: { City: { attribute: ['a.b'], type: 'timestamp', unit: 's' } } },
      `columns.City makes the column name "City", ${RULE}: an alias is required, such as "city": { "attribute": [ "a.b" ], "type": "timestamp", "unit": "s" }`,
    ],
    [
      { keys: ['order.id'] },
      `keys[0] makes the column name "order.id", ${RULE}: an alias is required, such as { "attribute": "order.id", "column": "order_id" }`,
    ],
    [
      { columns: { image: 'json' } },
      'columns.image makes the column old_image, which every audit row has: an alias is required, such as "image_2": { "attribute": "image", "type": "json" }',
    ],
    [
      { columns: { hash: 'json' } },
      'columns.hash makes the column old_hash, which every audit row has: an alias is required, such as "hash_2": { "attribute": "hash", "type": "json" }',
    ],
    [
      { columns: { order_id: 'string', orderId: 'string' } },
      'columns.orderId makes the column old_order_id, which tables.Orders.columns.order_id has: an alias is required, such as "order_id_2": { "attribute": "orderId", "type": "string" }',
    ],
    [
      { keys: ['PK', 'pk'] },
      'keys[1] makes the column key_pk, which tables.Orders.keys[0] has: an alias is required, such as { "attribute": "pk", "column": "pk_2" }',
    ],
  ])('the names of %j', (table, problem) => {
    expect(problemsInOrders(table)).toEqual([`tables.Orders.${problem}`])
  })

  test('a column name that Glue has no room for', () => {
    const longest = 'a'.repeat(251)
    expect(orders({ columns: { [longest]: 'string' } })?.columns).toHaveLength(1)
    expect(problemsInOrders({ columns: { [`${longest}a`]: 'string' } })).toHaveLength(1)
  })

  test('all mistakes at once, and proposes names that are free', () => {
    expect(
      problemsIn({
        refusedDays: '30',
        tables: {
          Orders: { capture: 'both', columns: { a: 'text', size: 'json', 'size!': 'json', 'size?': 'json' } },
        },
      }),
    ).toEqual([
      `refusedDays is "30", expected ${DAYS}`,
      'tables.Orders.capture is "both", expected "streams" or "kinesis"',
      `tables.Orders.columns.a is "text", expected ${TYPES}`,
      expect.stringMatching(
        /^tables\.Orders\.columns\["size!"\] .* "size_2": \{ "attribute": "size!", "type": "json" \}$/,
      ),
      expect.stringMatching(
        /^tables\.Orders\.columns\["size\?"\] .* "size_3": \{ "attribute": "size\?", "type": "json" \}$/,
      ),
    ])
  })

  test.each([
    ['', 'the file ends at line 1, column 1, expected a value'],
    ['{\n  "tables": {', 'the file ends at line 2, column 14, expected a name in double quotes'],
    ['{\n  "refusedDays": 30,\n}', 'line 3, column 1 has "}", expected a name in double quotes'],
    ['{\r\n  // days\r\n}', 'line 2, column 3 has "/", expected a name in double quotes'],
    ['{"a" 1}', 'line 1, column 6 has "1", expected ":"'],
    ['{"a": yes}', 'line 1, column 7 has "yes", expected a value'],
    ['{"a": 1 "b": 2}', 'line 1, column 9 has "\\"", expected "," or "}"'],
    ['{"a": [1 2]}', 'line 1, column 10 has "2", expected "," or "]"'],
    ['{"a": "x\n"}', 'line 1, column 7 has "\\"", expected a text that ends on its line, with escapes of JSON'],
    ['{} {}', 'line 1, column 4 has "{", expected the end of the file'],
    ['{"tables":{"Orders":{},\n"Orders":{}}}', 'tables.Orders is there twice, again at line 2, column 1'],
    ['{"tables":{"__proto__":{}}}', 'tables.__proto__ is a name that no field can have'],
    ['['.repeat(100_000), 'line 1, column 66 has "[", expected at most 64 levels'],
  ])('the text %j', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem])
  })
})

describe('a configuration file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-config-'))
  const path = join(folder, 'itemtrail.config.json')
  afterAll(() => rmSync(folder, { recursive: true }))

  test('is read with or without a byte order mark', () => {
    writeFileSync(path, '\ufeff{"refusedDays": 30}')
    expect(readConfiguration(path).refusedDays).toBe(30)
  })

  test('is named in the error, which lists the problems and has a hint', () => {
    writeFileSync(path, '{"refusedDays": 0, "lock": 1}')
    const error = catchError(() => readConfiguration(path))
    expect(error.message).toBe(`${path} has 2 problems:\n  ${error.problems.join('\n  ')}`)
    expect(error.hint).toContain('docs/configuration.md')
  })

  test('is an error in one line when it cannot be read', () => {
    const missing = join(folder, 'missing.json')
    expect(catchError(() => readConfiguration(missing)).message).toBe(`${missing}: no such file`)
    expect(catchError(() => readConfiguration(folder)).message).toBe(`${folder}: is a directory, expected a JSON file`)
    expect(catchError(() => readConfiguration(join(path, 'x'))).message).toContain('cannot be read: ENOTDIR')
    writeFileSync(path, Buffer.from([0x7b, 0xff, 0x7d]))
    expect(catchError(() => readConfiguration(path)).message).toBe(`${path}: is not UTF-8, expected a JSON file`)
  })
})

function catchError(action: () => unknown): ConfigurationError {
  try {
    action()
  } catch (error) {
    if (error instanceof ConfigurationError) return error
    throw error
  }
  throw new Error('expected a ConfigurationError')
}
