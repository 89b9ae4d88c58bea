import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseRowProof } from '../../evidence/row-proof.js'
import { formatCheckpoint } from '../../proof/checkpoint.js'
import { cosignerOf, signatureLine, signerOf, signNote } from '../../proof/note.js'
import { formatProof } from '../../proof/proof-file.js'
import { leafHash, rootOf } from '../../proof/tree.js'
import { temporaryFolder } from '../delivery/desk.js'
import { bundleOf, OTHER_VKEY, ordersArchive } from '../evidence/sealed-orders.js'
import { sealFolder } from '../journal/desk-journal.js'
import { entry, ORIGIN, SEED, VKEY, WITNESS, WITNESS_SEED, WITNESS_VKEY } from '../proof/vectors.js'
import { buildChecker, judgeWith, missingForTorchwood } from './checker.js'

const missing = missingForTorchwood()
const DAYS = { from: '2026-11-01T00:00:00Z', to: '2026-11-04T00:00:00Z' }

describe.skipIf(missing !== undefined)(`torchwood${missing === undefined ? '' : ` (${missing})`}`, () => {
  const folder = temporaryFolder('judged')
  const judged = (policy: string, proof: string, content: Uint8Array) => {
    for (const [name, text] of [
      ['policy', policy],
      ['proof', proof],
      ['entry', content],
    ] as const)
      writeFileSync(join(folder, name), text)
    return judgeWith('torchwood', ...['policy', 'proof', 'entry'].map(name => join(folder, name)))
  }

  beforeAll(() => buildChecker('torchwood'))

  it('accepts the policy and the journal proofs of a bundle, and refuses what is edited', async () => {
    const root = await ordersArchive()
    await sealFolder(root)
    const bundle = await bundleOf(root, 'deletions', DAYS)
    const policy = bundle.text('data/log/policy')
    const proofs = bundle.list().filter(path => path.endsWith('.row-proof'))
    expect(proofs.length).toBeGreaterThan(2)
    for (const path of proofs) {
      const text = bundle.text(path)
      const proof = text.slice(text.indexOf('\n\n') + 2)
      const { extra = new Uint8Array() } = parseRowProof(text).object
      expect(judged(policy, proof, extra)).toBe('accepted')
      expect(judged(policy.replace(VKEY, OTHER_VKEY), proof, extra)).toMatch(/^refused/)
      expect(judged(policy, proof, entry(0))).toMatch(/^refused/)
      expect(judged(policy, proof.replace(/^index \d+$/m, 'index 1000'), extra)).toMatch(/^refused/)
    }
  })

  it('accepts what a witness cosigned by a policy that asks for it, and refuses what lacks it', async () => {
    const root = rootOf([entry(0), entry(1)].map(leafHash))
    const text = formatCheckpoint({ origin: ORIGIN, size: 2, root })
    const note = await signNote(text, [signerOf(ORIGIN, SEED)])
    const cosigned = `${note}${await signatureLine(
      cosignerOf(WITNESS, WITNESS_SEED, () => 1_795_910_400),
      text,
    )}\n`
    const policy = `log ${VKEY}\nwitness w1 ${WITNESS_VKEY}\ngroup g any w1\nquorum g\n`
    const proof = (checkpoint: string) =>
      formatProof({ index: 0, path: [leafHash(entry(1))], checkpoint, extra: entry(0) })
    expect(judged(policy, proof(cosigned), entry(0))).toBe('accepted')
    expect(judged(policy, proof(note), entry(0))).toMatch(/^refused/)
    expect(judged(`log ${VKEY}\nquorum none\n`, proof(note), entry(0))).toBe('accepted')
  })
})
