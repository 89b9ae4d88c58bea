/** Bugs of what makes persons unreadable. */
import type { Scenario } from '../../simulation/scenario.js'
import { type Planted, strikes } from './plant.js'

const hasPersons = ({ load }: Scenario) => load.persons !== undefined

const isRedeployed = (scenario: Scenario) => hasPersons(scenario) && scenario.isRedeployed === true

const PERSONS: readonly Planted[] = [
  {
    name: 'a cache of keys outlives the fence',
    file: 'erasure/table-keys.ts',
    right: 'return current !== undefined && current.until > this.now() ? current.key : undefined',
    wrong: 'return current?.key',
    cause: /is erased, and key \d+ is used \d+ ms after it may be/,
  },
  {
    name: 'a person is said to be erased before the last key is gone',
    file: 'erasure/erase.ts',
    right:
      '  await keys.destroy(name)\n  const destroyed = now()\n  const search = { searched: factInstant((now() - (place.clockMs ?? 0)) * 1000), newest: await newestRefused(place) }\n  const clear = await clearRecords(place, request.id)\n  const certificates: ErasureFact[] = []\n  for (const fence of fences) {\n    const { table } = fence\n    const count = await countSubject(place, table, { token, id: request.id })\n    const unsearched = (await place.unsearched?.(table)) ?? []\n    const pending = [...clear, ...clearRows(count), ...unsearched]\n    certificates.push(await certify(place, fence, destroyed, { count, pending, ...search }))\n  }\n',
    wrong:
      '  const destroyed = now()\n  const search = { searched: factInstant((now() - (place.clockMs ?? 0)) * 1000), newest: await newestRefused(place) }\n  const clear = await clearRecords(place, request.id)\n  const certificates: ErasureFact[] = []\n  for (const fence of fences) {\n    const { table } = fence\n    const count = await countSubject(place, table, { token, id: request.id })\n    const unsearched = (await place.unsearched?.(table)) ?? []\n    const pending = [...clear, ...clearRows(count), ...unsearched]\n    certificates.push(await certify(place, fence, destroyed, { count, pending, ...search }))\n  }\n  await keys.destroy(name)\n',
    cause: /is said to be erased before key \d+ is gone/,
  },
  {
    name: 'an erasure takes the first key for the last',
    file: 'erasure/erase.ts',
    right: 'generation: (await keys.newest(token))?.generation ?? 1',
    wrong: 'generation: 1',
    cause: /is said to be erased, and key 2 is there[\s\S]*renew gives/,
  },
  {
    name: 'a copy of the key table is used as if it were the own',
    file: 'erasure/store-entry.ts',
    right: 'if (found === of) return { store, tokens, keys }',
    wrong: "if (found !== '') return { store, tokens, keys }",
    cause: /is erased, and key \d+ is used[\s\S]*keys-lost/,
    worlds: strikes(hasPersons, 'keys-lost'),
  },
  {
    name: 'a restored key table is adopted with those who were erased',
    file: 'erasure/adopt-copy.ts',
    right: 'for (const name of names.values()) await destroyKey(table, name, at)',
    wrong: "for (const name of names.values()) if (name.token === '') await destroyKey(table, name, at)",
    cause: /is adopted with .*, which was destroyed/,
    worlds: strikes(hasPersons, 'keys-lost'),
  },
  {
    name: 'a key is made in the place of one that is there',
    file: 'erasure/kept-keys.ts',
    right:
      "const isOpen = 'attribute_exists(opened) and attribute_not_exists(fenced) and attribute_not_exists(erased)'",
    wrong: "const isOpen = 'attribute_not_exists(fenced) and attribute_not_exists(erased)'",
    cause: /is archived with other images/,
    worlds: strikes(hasPersons, 'function-doubled'),
  },
  {
    name: 'a person has a new key before the old one has its certificate',
    file: 'erasure/renew.ts',
    right: 'if (known?.certificate === null)',
    wrong: "if (known?.certificate === null && table === '')",
    cause: /has lost key \d+, and no certificate tells/,
    mended: 'f9f1fad',
    worlds: strikes(hasPersons, 'function-killed'),
  },
  {
    name: 'a record that comes again, and is sealed under another key, contradicts itself',
    file: 'queries/verdict/reconstruct.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source
    right: '`${row.config_id} ${row.source_event_id}`).values()].some(contradictOneAnother)',
    wrong:
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source
      '`${row.config_id} ${row.source_event_id} ${row.subjects}`).values()].some(rows => new Set(rows.map(row => row.row_hash)).size > 1)',
    cause: /history of \S+ is CONFLICT, though[\s\S]*erase person-\d+ erased/,
    mended: 'ce82e07',
  },
  {
    name: 'what was refused is not searched for who is erased',
    file: 'erasure/erase.ts',
    right: 'if (holdsText(entry.data.toString(), id))',
    wrong: 'if (holdsText(entry.message, id))',
    cause: /in clear, who is erased, and no certificate tells/,
  },
  {
    name: 'rows that had less of it sealed are taken for those that had all',
    file: 'erasure/sealed-whole.ts',
    right: 'return wanted.every(path =>',
    wrong: 'return wanted.some(path =>',
    cause: /in clear, who is erased, and no certificate tells/,
    mended: 'aa90574',
    worlds: isRedeployed,
  },
  {
    name: 'a value that is sealed since a deployment is taken for another value',
    file: 'queries/verdict/boundary.ts',
    right: 'if (b !== undefined) return this.oneSealed(before, b, path)',
    wrong: 'if (b !== undefined) return false',
    cause: /history of \S+ is GAP, though (\d+) of \1 versions are there/,
    worlds: isRedeployed,
  },
  {
    name: 'a value of who names nobody is stored in clear',
    file: 'erasure/seal-image.ts',
    right: 'const owner = token ?? keys.tokenOf(loneSubject(table.table, itemKey))',
    wrong: 'if (token === undefined) continue\n    const owner = token',
    cause: /object data\S* has a value of person-\d+ in clear/,
  },
]

export const PLANTED_PERSONS: readonly Planted[] = PERSONS.map(bug => ({ worlds: hasPersons, ...bug }))
