import { openCheckpoint, type SignedCheckpoint } from './checkpoint.js'
import { parseVkey, type Verifier, verifiedSignatures } from './note.js'
import { ProofError } from './proof-error.js'

/** Whom one has to trust (C2SP tlog-policy): one of these logs, and of its witnesses a quorum. */
export interface Policy {
  readonly logs: readonly Verifier[]
  readonly witnesses: ReadonlyMap<string, Verifier>
  /** Null where no witness is asked for. */
  readonly quorum: Quorum | null
}

/** A witness by its name, or so many of some of them. */
export type Quorum = string | { readonly of: readonly Quorum[]; readonly needed: number }

/** Reads a policy file. Throws `ProofError` that names the line which is not allowed. */
export function parsePolicy(text: string): Policy {
  const reading = new PolicyReader()
  for (const [i, line] of text.split('\n').entries()) {
    const words = line.replace(/#.*$/, '').trim().split(/\s+/)
    if (words[0] === '') continue
    try {
      reading.line(words)
    } catch (error) {
      if (!(error instanceof ProofError)) throw error
      throw new ProofError(`policy, line ${i + 1}: ${error.message}`, { cause: error })
    }
  }
  return reading.policy()
}

class PolicyReader {
  private readonly logs: Verifier[] = []
  private readonly witnesses = new Map<string, Verifier>()
  private readonly named = new Map<string, Quorum>()
  private quorum: Quorum | null | undefined

  line([keyword, ...words]: readonly string[]): void {
    const [first = '', second = '', ...rest] = words
    if (keyword === 'log' && words.length >= 1 && words.length <= 2) this.logs.push(this.key(first, 0x01))
    else if (keyword === 'witness' && words.length >= 2 && words.length <= 3) {
      this.define(first, first)
      this.witnesses.set(first, this.key(second, 0x04))
    } else if (keyword === 'group' && rest.length > 0) this.define(first, this.group(second, rest))
    else if (keyword === 'quorum' && words.length === 1 && this.quorum === undefined)
      this.quorum = first === 'none' ? null : this.lookUp(first)
    else throw new ProofError(`${JSON.stringify([keyword, ...words].join(' '))} is not allowed here`)
  }

  policy(): Policy {
    if (this.logs.length === 0) throw new ProofError('policy names no log')
    if (this.quorum === undefined)
      throw new ProofError('policy has no quorum, expected one line "quorum <name>" or "quorum none"')
    return { logs: this.logs, witnesses: this.witnesses, quorum: this.quorum }
  }

  /** One public key may not speak twice. */
  private key(vkey: string, type: Verifier['type']): Verifier {
    const verifier = parseVkey(vkey)
    if (verifier.type !== type)
      throw new ProofError(`key ${verifier.name} is of type ${verifier.type}, expected ${type}`)
    const others = [...this.logs, ...this.witnesses.values()]
    if (others.some(({ publicKey }) => Buffer.compare(publicKey, verifier.publicKey) === 0))
      throw new ProofError(`key ${verifier.name} is there twice`)
    return verifier
  }

  private group(count: string, members: readonly string[]): Quorum {
    const of = members.map(name => this.lookUp(name))
    const needed = count === 'all' ? of.length : count === 'any' ? 1 : /^[1-9]\d*$/.test(count) ? Number(count) : 0
    if (needed < 1 || needed > of.length)
      throw new ProofError(
        `group needs ${JSON.stringify(count)} of ${of.length}, expected all, any or 1 to ${of.length}`,
      )
    return { of, needed }
  }

  private define(name: string, quorum: Quorum): void {
    if (name === 'none' || this.named.has(name)) throw new ProofError(`name ${JSON.stringify(name)} is taken`)
    this.named.set(name, quorum)
  }

  private lookUp(name: string): Quorum {
    const quorum = this.named.get(name)
    if (quorum === undefined) throw new ProofError(`name ${JSON.stringify(name)} is not defined before`)
    return quorum
  }
}

/** Opens a checkpoint that a policy's log signed and its quorum cosigned. Throws `ProofError` for any other. */
export function openByPolicy(text: string, origin: string, { logs, witnesses, quorum }: Policy): SignedCheckpoint {
  const checkpoint = openCheckpoint(text, origin, logs)
  const cosigned = verifiedSignatures(checkpoint.note, [...witnesses.values()])
  const by = (name: string) => {
    const witness = witnesses.get(name)
    return cosigned.some(({ name: signed, id }) => signed === witness?.name && id === witness.id)
  }
  if (quorum !== null && !isMet(quorum, by))
    throw new ProofError(`checkpoint of ${origin} lacks the quorum of the policy`, { fault: 'quorum' })
  return { ...checkpoint, signedBy: [...checkpoint.signedBy, ...cosigned.map(({ name }) => name)] }
}

function isMet(quorum: Quorum, by: (witness: string) => boolean): boolean {
  if (typeof quorum === 'string') return by(quorum)
  return quorum.of.filter(member => isMet(member, by)).length >= quorum.needed
}
