import { describe, expect, it } from 'vitest'
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from '../../proof/checkpoint.js'
import {
  cosignatureTime,
  cosignerOf,
  formatVkey,
  parseNote,
  parseVkey,
  signatureLine,
  signerOf,
  signNote,
  verifiedSignatures,
} from '../../proof/note.js'
import { CHECKPOINTS, ORIGIN, rootOfEntries, SEED, VKEY, WITNESS, WITNESS_SEED, WITNESS_VKEY } from './vectors.js'

/** The example of the C2SP specification. */
const SPECIFIED = {
  vkey: 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
  note: 'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
}

/** golang/mod, sumdb/note/note_test.go. */
const GO = {
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  vkey: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  peter: '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=',
  enoch: '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=',
}
const peterSeed = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1)

describe('notes', () => {
  it('open as specified', () => {
    const note = parseNote(SPECIFIED.note)
    expect(note.text).toBe('This is an example message.\n')
    expect(verifiedSignatures(note, [parseVkey(SPECIFIED.vkey)]).map(({ name }) => name)).toEqual(['example.com/foo'])
  })

  it('are signed as by Go', async () => {
    const signers = [signerOf('PeterNeumann', peterSeed), signerOf('EnochRoot', Buffer.alloc(32))]
    expect(await signNote(GO.text, signers)).toBe(`${GO.text}\n${GO.peter}\n${GO.enoch}\n`)
    expect(formatVkey(signers[0] as (typeof signers)[0])).toBe(GO.vkey)
  })

  it('part at the last empty line', () => {
    expect(parseNote(`one\n\ntwo\n\n${GO.peter}\n`).text).toBe('one\n\ntwo\n')
  })

  it('leave lines of other keys alone, and refuse a wrong one of a known key', () => {
    const known = [parseVkey(GO.vkey)]
    expect(verifiedSignatures(parseNote(`${GO.text}\n${GO.enoch}\n${GO.peter}\n`), known)).toHaveLength(1)
    expect(verifiedSignatures(parseNote(`${GO.text}\n${GO.enoch}\n`), known)).toEqual([])
    expect(() => verifiedSignatures(parseNote(`other\n\n${GO.peter}\n`), known)).toThrow(
      'PeterNeumann that is not its own',
    )
  })

  it.each([
    ['no signatures', 'text\n'],
    ['no signatures', `text\n\n${GO.peter}`],
    ['control characters', `te\rxt\n\n${GO.peter}\n`],
    ['expected "— <key name>', 'text\n\n- PeterNeumann AAAAAAA=\n'],
    ['expected "— <key name>', 'text\n\n— Peter+Neumann AAAAAAA=\n'],
    ['expected "— <key name>', 'text\n\n— PeterNeumann AAAA\n'],
    ['at most 100', `text\n\n${`${GO.peter}\n`.repeat(101)}`],
  ])('are refused for %s', (reason, note) => {
    expect(() => parseNote(note)).toThrow(reason)
  })
})

describe('vkeys', () => {
  it('are read and written', () => {
    expect(formatVkey(parseVkey(VKEY))).toBe(VKEY)
    expect(formatVkey(signerOf(ORIGIN, SEED))).toBe(VKEY)
    expect(formatVkey(cosignerOf(WITNESS, WITNESS_SEED, () => 0))).toBe(WITNESS_VKEY)
  })

  it.each([
    ['which is not that of its key', VKEY.replace('ed6ee825', 'ed6ee826')],
    ['has 31 bytes', `x+00000000+${Buffer.concat([Buffer.of(1), Buffer.alloc(31)]).toString('base64')}`],
    ['is of type 101', `x+00000000+${Buffer.concat([Buffer.of(0x65), Buffer.alloc(32)]).toString('base64')}`],
    ['expected <name>', 'x+00000000'],
    ['expected <name>', VKEY.replace(ORIGIN, 'a b')],
  ])('are refused where one %s', (reason, vkey) => {
    expect(() => parseVkey(vkey)).toThrow(reason)
  })
})

describe('checkpoints', () => {
  it.each(CHECKPOINTS)('of $size entries are signed as others accept them', async ({ size, root, signature }) => {
    const text = formatCheckpoint({ origin: ORIGIN, size, root: Buffer.from(root, 'hex') })
    const note = await signNote(text, [signerOf(ORIGIN, SEED)])
    expect(note).toBe(`${text}\n— ${ORIGIN} ${signature}\n`)
    expect(openCheckpoint(note, ORIGIN, [parseVkey(VKEY)])).toMatchObject({ size, signedBy: [ORIGIN] })
  })

  it('are refused of another origin, without a known key, and with another content', async () => {
    const root = rootOfEntries(0, 7)
    const note = await signNote(formatCheckpoint({ origin: ORIGIN, size: 7, root }), [signerOf(ORIGIN, SEED)])
    expect(() => openCheckpoint(note, 'other.example', [parseVkey(VKEY)])).toThrow('expected "other.example"')
    expect(() => openCheckpoint(note, ORIGIN, [parseVkey(GO.vkey)])).toThrow('signed by none of the keys given')
    expect(() => openCheckpoint(note.replace('\n7\n', '\n8\n'), ORIGIN, [parseVkey(VKEY)])).toThrow('not its own')
  })

  it.each([
    ['less than three lines', `${ORIGIN}\n7\n`],
    ['has the size "07"', `${ORIGIN}\n07\n${rootOfEntries(0, 7).toString('base64')}\n`],
    ['has the size "9007199254740993"', `${ORIGIN}\n9007199254740993\n${rootOfEntries(0, 7).toString('base64')}\n`],
    ['has the root "AAAA"', `${ORIGIN}\n7\nAAAA\n`],
    ['a root for no entries', `${ORIGIN}\n0\n${rootOfEntries(0, 7).toString('base64')}\n`],
    ['has an empty line', `${ORIGIN}\n7\n${rootOfEntries(0, 7).toString('base64')}\n\nextension\n`],
  ])('are refused for %s', (reason, text) => {
    expect(() => parseCheckpoint(text)).toThrow(reason)
  })

  it('are cosigned as others accept it', async () => {
    const text = formatCheckpoint({ origin: ORIGIN, size: 7, root: rootOfEntries(0, 7) })
    const line = await signatureLine(
      cosignerOf(WITNESS, WITNESS_SEED, () => 1_795_910_400),
      text,
    )
    expect(line).toBe(
      '— witness.example/w1 IDJKvgAAAABrC2sAYdCpw9ZSF0W7MNzJ65WV9wEJHz/+s6s8AbL7wH8B3ID2QRlMos7M8mPOySExfqbGSjyi1h2XbSFoIT8hvJFWAg==',
    )
    const [signature] = verifiedSignatures(parseNote(`${text}\n${line}\n`), [parseVkey(WITNESS_VKEY)])
    expect(cosignatureTime(signature?.signature as Uint8Array)).toBe(1_795_910_400n)
  })
})
