import { X509Certificate } from 'node:crypto'
import { within } from './der.js'
import { extensionOf, type StampSigner, wasValid } from './timestamp-signature.js'

/** Whose time stamps are believed: certificates that somebody gives. */
export type Authorities = readonly X509Certificate[]

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * The certificates of a PEM file. Throws a `RangeError` for a file without one, Node's own error for one that is none.
 */
export function readAuthorities(text: string): Authorities {
  const found = text.match(PEM) ?? []
  if (found.length === 0) throw new RangeError('there is no certificate in it')
  return found.map(pem => new X509Certificate(pem))
}

/** A chain has no more certificates. */
const MOST = 8

const BASIC_CONSTRAINTS = '2.5.29.19'
const NAME_CONSTRAINTS = '2.5.29.30'

/**
 * Whether a certificate is one of those that are believed, or leads to one by signatures of authorities that were valid
 * at the time. What was revoked since nobody is asked, and a chain over an authority for some names alone is not
 * followed.
 */
export function leadsTo(authorities: Authorities, { certificate, others }: StampSigner, time: Date): boolean {
  const climb = (from: X509Certificate, below: number): boolean => {
    if (!wasValid(from, time)) return false
    if (authorities.some(({ raw }) => raw.equals(from.raw))) return true
    if (below === MOST) return false
    const isIssuer = (by: X509Certificate) => from.checkIssued(by) && from.verify(by.publicKey)
    const believed = authorities.filter(by => by.ca && wasValid(by, time) && isIssuer(by))
    if (believed.some(by => mayIssue(by, below))) return true
    return others.some(by => by.ca && isIssuer(by) && isPlain(by) && mayIssue(by, below) && climb(by, below + 1))
  }
  return climb(certificate, 0)
}

/** Whether an authority may have so many others below it (RFC 5280, section 4.2.1.9). */
function mayIssue({ raw }: X509Certificate, below: number): boolean {
  const constraints = extensionOf(raw, BASIC_CONSTRAINTS)?.value
  const most = constraints === undefined ? undefined : within(constraints)[1]
  return most === undefined || Number(`0x${Buffer.from(most.content).toString('hex')}`) >= below
}

function isPlain({ raw }: X509Certificate): boolean {
  return extensionOf(raw, NAME_CONSTRAINTS) === undefined
}
