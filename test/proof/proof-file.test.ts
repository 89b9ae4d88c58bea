import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { formatCheckpoint } from '../../proof/checkpoint.js'
import { cosignerOf, parseVkey, signerOf, signNote } from '../../proof/note.js'
import { openByPolicy, parsePolicy } from '../../proof/policy.js'
import { formatProof, parseProof, verifyProof } from '../../proof/proof-file.js'
import { inclusionRanges, leafHash } from '../../proof/tree.js'
import { entry, ORIGIN, rootOfEntries, SEED, VKEY, WITNESS, WITNESS_SEED, WITNESS_VKEY } from './vectors.js'

const text = formatCheckpoint({ origin: ORIGIN, size: 7, root: rootOfEntries(0, 7) })
const witness = cosignerOf(WITNESS, WITNESS_SEED, () => 1_795_910_400)
const signed = await signNote(text, [signerOf(ORIGIN, SEED)])
const cosigned = await signNote(text, [signerOf(ORIGIN, SEED), witness])
const path = inclusionRanges(3, 7).map(({ from, to }) => rootOfEntries(from, to))
const sha256 = (value: string) => createHash('sha256').update(value).digest('hex')
const known = [parseVkey(VKEY)]

describe('proof files', () => {
  it('are, byte for byte, those that others accept', () => {
    const proof = formatProof({ index: 3, path, checkpoint: signed })
    expect([proof.length, Buffer.byteLength(proof), sha256(proof)].slice(1)).toEqual([
      358,
      '15b2dc02bc1d837150cea67c9c82ceffca885826927d3aa561abf5e6021fc4b1',
    ])
    const more = formatProof({ index: 3, path, checkpoint: cosigned, extra: Buffer.from('hello') })
    expect([Buffer.byteLength(more), sha256(more)]).toEqual([
      501,
      '3a985be723cadf869a766f13d75accb2e0eaae8418e173be428f9aa9a826698f',
    ])
  })

  it('show one entry in one place, and no other', () => {
    const proof = parseProof(formatProof({ index: 3, path, checkpoint: signed, extra: Buffer.from('hello') }))
    expect(String(proof.extra)).toBe('hello')
    expect(verifyProof(proof, leafHash(entry(3)), ORIGIN, known)).toMatchObject({ size: 7, signedBy: [ORIGIN] })
    expect(() => verifyProof(proof, leafHash(entry(4)), ORIGIN, known)).toThrow('does not show that entry 3 of 7')
    expect(() => verifyProof({ ...proof, index: 4 }, leafHash(entry(3)), ORIGIN, known)).toThrow('does not show')
    expect(() => verifyProof({ ...proof, path: [] }, leafHash(entry(3)), ORIGIN, known)).toThrow('does not show')
  })

  it('show nothing, or the same, when any one bit is turned', () => {
    const whole = Buffer.from(formatProof({ index: 3, path, checkpoint: signed }))
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Buffer.from(whole)
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(() => verifyProof(parseProof(bytes.toString()), leafHash(entry(3)), ORIGIN, known)).toThrow()
    }
  })
})

const POLICY = `# whom one has to trust
log ${VKEY}
witness w1 ${WITNESS_VKEY}
group g any w1
quorum g
`

describe('policies', () => {
  it('take a checkpoint that the log signed and the quorum cosigned, and no other', () => {
    const policy = parsePolicy(POLICY)
    expect(openByPolicy(cosigned, ORIGIN, policy).signedBy).toEqual([ORIGIN, WITNESS])
    expect(() => openByPolicy(signed, ORIGIN, policy)).toThrow('lacks the quorum')
    expect(openByPolicy(signed, ORIGIN, parsePolicy(`log ${VKEY}\nquorum none\n`)).size).toBe(7)
  })

  it.each([
    ['policy names no log', 'quorum none\n'],
    ['policy has no quorum', `log ${VKEY}\n`],
    ['line 1: name "g" is not defined before', 'quorum g\n'],
    ['line 2: key itemtrail.example/test is there twice', `log ${VKEY}\nlog ${VKEY}\nquorum none\n`],
    ['line 2: key itemtrail.example/test is of type 1, expected 4', `log ${VKEY}\nwitness w ${VKEY}\nquorum w\n`],
    ['line 2: group needs "2" of 1', `witness w1 ${WITNESS_VKEY}\ngroup g 2 w1\n`],
    ['line 2: name "w1" is taken', `witness w1 ${WITNESS_VKEY}\ngroup w1 any w1\n`],
    ['line 3: "quorum none" is not allowed here', `log ${VKEY}\nquorum none\nquorum none\n`],
    ['line 1: "quorums none" is not allowed here', 'quorums none\n'],
  ])('are refused: %s', (reason, policy) => {
    expect(() => parsePolicy(policy)).toThrow(reason)
  })
})
