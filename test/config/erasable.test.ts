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

  it.each([
    [{ keyIsPersonal: ['id'] }, 'tables.Orders.keyIsPersonal is there without "erasable"'],
    [{ ...erasable('a'), keyIsPersonal: ['iD'] }, 'tables.Orders.keyIsPersonal[0] is "iD", expected one of "keys": id'],
    [{ ...erasable('a'), keyIsPersonal: [] }, 'expected an array of one or two different names of key attributes'],
    [{ ...erasable('a'), keyIsPersonal: ['id', 'id'] }, 'expected an array of one or two different names'],
    [{ ...erasable('id'), keyIsPersonal: ['id'] }, 'is id, which the key holds as a token'],
  ])('have a token in the place of a key, of which %j is none', (table, problem) => {
    expect(problemsOf(table)).toEqual([expect.stringContaining(problem)])
  })

  it('have no token where the keys are not said', () => {
    const table = { erasable: [{ subject: 'id', attributes: ['a'] }], keyIsPersonal: ['id'] }
    expect(() => checkConfiguration({ erasure: { keys: 'keys' }, tables: { Orders: table } }, 'file')).toThrow(
      'tables.Orders.keyIsPersonal[0] is "id", expected one of "keys": none is said',
    )
  })

  it('may be of whom the key names', () => {
    const table = { keys: ['id'], erasable: [{ subject: 'id', attributes: ['a'] }], keyIsPersonal: ['id'] }
    const { tables } = checkConfiguration({ erasure: { keys: 'keys' }, tables: { Orders: table } }, 'file')
    expect(tables.get('Orders')?.keyIsPersonal).toEqual(['id'])
  })

  it('may have a column of what is kept, or of the ciphertext', () => {
    const columns = { domain: { attribute: 'mail.keep', type: 'string' }, mail: 'json' }
    expect(problemsOf({ ...erasable({ attribute: 'mail', keep: 'domain' }), columns })).toEqual([])
  })
})
