import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseConfiguration } from '../../config/configuration.js'
import { readJson } from '../../config/json-text.js'
import { ConfigurationError } from '../../config/problems.js'
import { columnsOf } from '../../transform/audit-row.js'
import { configurationId } from '../../transform/table-configuration.js'

const SEED = { seed: 20_261_122, numRuns: 1_000 }

/** The problems of a text; none where it is accepted. Anything thrown but a ConfigurationError fails the test. */
function problemsOf(text: string): readonly string[] {
  try {
    const { tables } = parseConfiguration(text, 'itemtrail.config.json')
    for (const table of tables.values()) {
      const names = columnsOf(table).map(({ name }) => name)
      expect(new Set(names).size).toBe(names.length)
      expect(configurationId(table)).toMatch(/^[0-9a-f]{16}$/)
    }
    return []
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    expect(error.problems.length).toBeGreaterThan(0)
    return error.problems
  }
}

const name = fc.oneof(
  fc.constantFrom('tables', 'lock', 'mode', 'days', 'confirm', 'refusedDays', 'Orders', 'ORDERS', 'keys', 'columns'),
  fc.constantFrom('actor', 'lifecycle', 'allowed', 'attribute', 'column', 'type', 'unit', 'since', 'image', 'orderId'),
  fc.constantFrom('order_id', 'constructor', 'toString', 'hasOwnProperty', '__proto__', '', 'a.b', '\ud800'),
)
const leaf = fc.oneof(
  fc.constantFrom('none', 'compliance', 'kinesis', 's', 'string', 'timestamp', 'decimal(9,2)', 'a.b', '2026-11-22'),
  fc.constantFrom(null, true, 0, 30, -1, 1.5, '', '\ud800'),
)
const { nearly } = fc.letrec<{ nearly: unknown; node: unknown }>(tie => ({
  nearly: fc.dictionary(name, tie('node'), { maxKeys: 6 }),
  node: fc.oneof({ weight: 3, arbitrary: leaf }, tie('nearly'), fc.array(tie('node'), { maxLength: 3 })),
}))
const table = fc.record(
  { keys: fc.array(fc.oneof(name, nearly)), columns: nearly, actor: fc.oneof(name, leaf), lifecycle: nearly },
  { requiredKeys: [] },
)

test('answers any JSON value with a configuration or a ConfigurationError in our own words', () => {
  const tables = fc.dictionary(fc.constantFrom('Orders', 'ORDERS', 'x', 'Users'), table).map(tables => ({ tables }))
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), nearly, tables), value => {
      for (const problem of problemsOf(JSON.stringify(value)))
        expect(problem).not.toMatch(/expected (Invalid|Too|Unrec)/)
    }),
    SEED,
  )
})

test('answers any text with a configuration or a ConfigurationError', () => {
  const parts = fc.array(fc.constantFrom(...'{}[]:,"\\ \n', 'true', '"a"', '-1.5e3', '01', '\\u00e9', '/', '\u0001'))
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    parts.map(parts => parts.join('')),
  )
  fc.assert(
    fc.property(text, text => void problemsOf(text)),
    SEED,
  )
})

test('accepts the very texts that JSON.parse does, but for a name that is there twice', () => {
  const value = fc.jsonValue().filter(value => !JSON.stringify(value).includes('__proto__'))
  const damage = fc.record({
    at: fc.nat(),
    length: fc.nat(2),
    text: fc.constantFrom('', ',', '"', '}', ']', '\\', '0', '\n'),
  })
  const space = fc.constantFrom(undefined, '\t', 2)
  fc.assert(
    fc.property(value, space, fc.option(damage), (value, space, damage) => {
      let text = JSON.stringify(value, null, space)
      if (damage !== null) {
        const at = damage.at % text.length
        text = text.slice(0, at) + damage.text + text.slice(at + damage.length)
      }
      const ours = attempt(() => readJson(text))
      if (ours instanceof SyntaxError && ours.message.includes('is there twice')) return
      const parsed = attempt(() => JSON.parse(text))
      if (parsed instanceof SyntaxError) expect(ours).toBeInstanceOf(SyntaxError)
      else expect(ours).toEqual(parsed)
    }),
    SEED,
  )
})

function attempt(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    return error
  }
}

test('proposes an alias that it then accepts', () => {
  const columns = (text: string) => `{"tables":{"Orders":{"columns":{"gro_e":"json","image_2":"json",${text}}}}}`
  const attribute = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc.constantFrom('image', 'a.b', 'Größe', '9'),
  )
  fc.assert(
    fc.property(attribute, attribute => {
      fc.pre(attribute !== '__proto__')
      const problems = problemsOf(columns(`${JSON.stringify(attribute)}:"json"`))
      const alias = problems.map(problem => problem.slice(problem.indexOf('such as ') + 'such as '.length))
      expect(problemsOf(columns([...alias, '"other":"json"'].join(',')))).toEqual([])
    }),
    SEED,
  )
})
