/**
 * Why a text or file of a log proves nothing: its form, the log that it is of, who signed it, who did not cosign it, or
 * a path that does not lead to the root. An empty path is told apart: there are readers that took it for a proof.
 */
export type ProofFault = 'form' | 'origin' | 'key' | 'quorum' | 'path' | 'empty-path'

/** A text or file of a log that is not what its format allows, or that proves nothing. */
export class ProofError extends Error {
  override readonly name = 'ProofError'
  readonly fault: ProofFault

  constructor(message: string, { fault = 'form', ...options }: ErrorOptions & { readonly fault?: ProofFault } = {}) {
    super(withoutSecrets(message), options)
    this.fault = fault
  }
}

/** What a key that signs begins with. */
export const SECRET = 'PRIVATE+KEY+'

/** A text that is shown, without the keys that sign in it: who is given one in the place of a vkey does not tell it. */
export function withoutSecrets(text: string): string {
  return text.replace(/PRIVATE\+KEY\+\S*?(?=["',;:]*(?:\s|$))/g, `${SECRET}...`)
}
