import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isWithin, makeKeyFile, readKeyFile, readVerifier, vkeyPath } from '../../journal/key-file.js'
import { parseNote, signNote, verifiedSignatures } from '../../proof/note.js'
import { temporaryFolder } from '../delivery/desk.js'

describe('a key file', () => {
  it('signs what its vkey verifies, and is for its owner alone', async () => {
    const path = join(temporaryFolder(), 'keys', 'seal.key')
    const made = makeKeyFile(path, 'orders.audit.example/prod')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const { signer } = readKeyFile(path)
    const note = parseNote(await signNote('text\n', [signer]))
    expect(verifiedSignatures(note, [readVerifier(vkeyPath(path))])).toHaveLength(1)
    expect(verifiedSignatures(note, [readVerifier(made.vkey)])).toHaveLength(1)
  })

  it('is never written over', () => {
    const path = join(temporaryFolder(), 'seal.key')
    makeKeyFile(path, 'a.example/b')
    const before = readFileSync(path)
    expect(() => makeKeyFile(path, 'a.example/b')).toThrow('is there already, and no key is written over')
    expect(readFileSync(path)).toEqual(before)
  })

  it.each([
    ['a vkey', (text: string) => text.replace('PRIVATE+KEY+', '')],
    ['cut off', (text: string) => text.slice(0, -9)],
    ['of another name', (text: string) => text.replace('a.example/b', 'a.example/c')],
    ['empty', () => ''],
  ])('that is %s is refused without a word of the key', (_, spoil) => {
    const path = join(temporaryFolder(), 'seal.key')
    makeKeyFile(path, 'a.example/b')
    const spoilt = spoil(readFileSync(path, 'utf8').trim())
    writeFileSync(path, spoilt)
    const seed = spoilt.split('+').at(-1) as string
    expect(() => readKeyFile(path)).toThrow(/is no signing key|which is not that of its key/)
    try {
      readKeyFile(path)
    } catch (error) {
      if (seed !== '') expect((error as Error).message).not.toContain(seed)
    }
  })

  it('knows whether it would lie within an archive, links followed', () => {
    const root = temporaryFolder()
    const outside = temporaryFolder('elsewhere')
    mkdirSync(join(root, 'log'))
    symlinkSync(root, join(outside, 'link'))
    expect(isWithin(join(root, 'log', 'new', 'seal.key'), root)).toBe(true)
    expect(isWithin(join(outside, 'link', 'seal.key'), root)).toBe(true)
    expect(isWithin(join(outside, 'seal.key'), root)).toBe(false)
    expect(isWithin(`${root}-beside/seal.key`, root)).toBe(false)
  })
})
