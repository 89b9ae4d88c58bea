import { describe, expect, it } from 'vitest'
import { checkConfiguration } from '../../config/configuration.js'

const problemsOf = (table: object, more: object = { erasure: { keys: 'keys' } }) => {
  try {
    checkConfiguration({ ...more, tables: { Orders: { keys: ['id'], ...table } } }, 'file')
    return []
  } catch (error) {
    return (error as { readonly problems: readonly string[] }).problems
  }
}
const erasable = (...attributes: readonly unknown[]) => ({ erasable: [{ subject: 'buyer.id', attributes }] })

describe('erasable values', () => {
  it('are paths, with what is kept of them', () => {
    const { tables } = checkConfiguration(
      {
        erasure: { keys: 'keys' },
        tables: { Orders: erasable('a.b', ['c.d', '*'], { attribute: 'e', keep: 'year' }) },
      },
      'file',
    )
    expect(tables.get('Orders')?.erasable).toEqual([
      {
        subject: ['buyer', 'id'],
        values: [{ path: ['a', 'b'] }, { path: ['c.d', '*'] }, { path: ['e'], keep: 'year' }],
      },
    ])
  })

  it('need a key store', () => {
    expect(problemsOf(erasable('a'), {})).toEqual([
      'tables.Orders.erasable needs a key store, expected "erasure": {"keys": FOLDER}',
    ])
  })

  it.each([
    [{ ...erasable('id') }, 'is id, which the key holds in clear'],
    [{ ...erasable('by.*'), actor: 'by.name' }, 'is by.*, which the actor holds in clear'],
    [{ ...erasable('s'), lifecycle: { attribute: 's', allowed: [] } }, 'is s, which the lifecycle holds in clear'],
    [{ ...erasable('a.b', 'a') }, 'is a, which tables.Orders.erasable[0].attributes[0] seals already'],
    [{ ...erasable('mail'), columns: { mail: 'string' } }, 'is mail, of which the column mail can hold no value'],
    [
      { ...erasable('mail'), columns: { domain: { attribute: 'mail.keep', type: 'string' } } },
      'is mail, of which the column domain can hold no value',
    ],
  ])('are not those of %j', (table, problem) => {
    expect(problemsOf(table)).toEqual([expect.stringContaining(problem)])
  })

  it('may have a column of what is kept, or of the ciphertext', () => {
    const columns = { domain: { attribute: 'mail.keep', type: 'string' }, mail: 'json' }
    expect(problemsOf({ ...erasable({ attribute: 'mail', keep: 'domain' }), columns })).toEqual([])
  })
})
