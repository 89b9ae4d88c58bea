import { beforeAll, describe, expect, it } from 'vitest'
import { leadsTo, readAuthorities } from '../../journal/authorities.js'
import type { SealEntry } from '../../journal/entry.js'
import { keptStamps } from '../../journal/kept-stamps.js'
import { claimPath } from '../../journal/log-store.js'
import { readTimestamp } from '../../journal/timestamp.js'
import { TimestampError } from '../../journal/timestamp-error.js'
import { type StampSigner, UnknownSignature } from '../../journal/timestamp-signature.js'
import { temporaryFolder } from '../delivery/desk.js'
import { randomOf } from '../random.js'
import { type Made, StampMaker } from './stamps.js'
import { hasOpenssl } from './time-authority.js'

const CHECKPOINT = Buffer.from('example.com/log\n3\nroot\n')

describe.skipIf(!hasOpenssl)(`the signature of a time stamp${hasOpenssl ? '' : ' (skipped: no OpenSSL 3)'}`, () => {
  let maker: StampMaker
  let root: Made
  let middle: Made
  let clock: Made
  let answer: Buffer
  beforeAll(() => {
    maker = new StampMaker(temporaryFolder())
    root = maker.make('root', 'ca')
    middle = maker.make('middle', 'ca', root)
    clock = maker.make('clock', 'clock', middle)
    answer = maker.stamp(CHECKPOINT, clock)
  })

  const signerOf = (stamp: Uint8Array) => readTimestamp(stamp, CHECKPOINT).signer
  const isBelieved = (stamp: Uint8Array, ...authorities: readonly Made[]) => {
    const { signer, time } = readTimestamp(stamp, CHECKPOINT)
    const pem = authorities.map(one => maker.pem(one)).join('some text\n')
    return leadsTo(readAuthorities(pem), signer as StampSigner, new Date(time))
  }

  it('is of the certificate that it names, by each algorithm that is known', () => {
    for (const [name, section] of [
      ['clock', 'tsa'],
      ['clock', 'tsa1'],
      ['rsa', 'tsa'],
      ['rsa', 'tsa1'],
    ]) {
      const made = name === 'clock' ? clock : maker.make('rsa', 'clock', middle)
      const signer = signerOf(maker.stamp(CHECKPOINT, made, section)) as StampSigner
      expect(signer.certificate.subject).toBe(`CN=${name}`)
      expect(signer.others.map(({ subject }) => subject).sort()).toEqual(['CN=middle', 'CN=root'])
    }
  })

  it('passes with no turned bit but where nothing is said', () => {
    const { time } = readTimestamp(answer, CHECKPOINT)
    const [signature] = [answer.length - 20]
    for (let seed = 1; seed <= 400; seed++) {
      const random = randomOf(seed)
      const turned = Buffer.from(answer)
      const at = seed <= 20 ? signature + seed - 1 : Math.floor(random() * answer.length)
      turned.writeUInt8(turned.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at)
      let read: ReturnType<typeof readTimestamp> | undefined
      try {
        read = readTimestamp(turned, CHECKPOINT)
      } catch (error) {
        expect(error).toBeInstanceOf(TimestampError)
      }
      if (seed <= 20) expect(read).toBeUndefined()
      if (read === undefined || read.signer instanceof UnknownSignature) continue
      // what travels beside the signature, such as other certificates
      expect({ seed, time: read.time, by: read.signer.certificate.subject }).toEqual({ seed, time, by: 'CN=clock' })
      expect([seed, leadsTo(readAuthorities(maker.pem(clock)), read.signer, new Date(time))]).toEqual([seed, true])
    }
  })

  it('of a certificate for anything else, or of none, is refused', () => {
    const content = maker.contentOf(answer)
    expect(signerOf(maker.forge(content, [clock]))).toMatchObject({ certificate: { subject: 'CN=clock' } })
    for (const section of ['server', 'loose', 'more', 'ca'])
      expect(() => signerOf(maker.forge(content, [maker.make(section, section, middle)]))).toThrow(
        'by a certificate that is not for time stamps alone',
      )
    expect(() => signerOf(maker.forge(content, [clock, middle]))).toThrow('has 2 signatures, expected one')
    const early = Buffer.from(content.toString('latin1').replace(/20\d{12}Z/, '20190101000000Z'), 'latin1')
    expect(() => signerOf(maker.forge(early, [clock]))).toThrow('at which its certificate was not valid')
    const other = Buffer.from(content)
    other.writeUInt8(other.readUInt8(other.length - 1) ^ 1, other.length - 1)
    const forged = Buffer.from(answer)
    other.copy(forged, forged.indexOf(content))
    expect(() => signerOf(forged)).toThrow('signs another content than it has')
  })

  it('that is of a kind that is not known here is not called wrong', () => {
    const content = maker.contentOf(answer)
    const rsa = maker.make('rsa', 'clock', middle)
    const pss = maker.forge(content, [rsa], '-keyopt', 'rsa_padding_mode:pss')
    expect(signerOf(pss)).toEqual(new UnknownSignature('its signature is of 1.2.840.113549.1.1.10'))
    expect(signerOf(maker.forge(content, [clock], '-nocerts'))).toBeInstanceOf(UnknownSignature)
  })

  it('is believed by whoever OpenSSL believes', () => {
    const narrow = maker.make('narrow', 'ca0')
    const below = maker.make('below', 'ca', narrow)
    const tooFar = maker.make('too-far', 'clock', below)
    const near = maker.make('near', 'clock', narrow)
    const another = maker.make('root.again', 'ca')
    const alone = maker.make('alone', 'clock')
    const server = maker.make('server', 'server', root)
    const stamps: readonly (readonly [Made, readonly Made[], boolean])[] = [
      [clock, [root], true],
      [clock, [middle], true],
      [clock, [clock], true],
      [clock, [another, root], true],
      [clock, [another], false],
      [clock, [alone, server], false],
      [alone, [alone], true],
      [alone, [root], false],
      [near, [narrow], true],
      [tooFar, [narrow], false],
      [tooFar, [below], true],
    ]
    for (const [by, authorities, expected] of stamps) {
      const stamp = maker.stamp(CHECKPOINT, by)
      const about = { by: by.name, authorities: authorities.map(({ name }) => name) }
      expect({ ...about, ours: isBelieved(stamp, ...authorities) }).toEqual({ ...about, ours: expected })
      expect({ ...about, theirs: maker.verifies(stamp, CHECKPOINT, authorities) }).toEqual({
        ...about,
        theirs: expected,
      })
    }
  })

  it('over an authority for some names alone is believed by that one, and not by those above it', () => {
    const names = maker.make('names', 'names', root)
    const stamp = maker.stamp(CHECKPOINT, maker.make('named', 'clock', names))
    expect([isBelieved(stamp, root), isBelieved(stamp, names)]).toEqual([false, true])
  })

  it('is told by the name in its certificate, be there none', async () => {
    const nameless = maker.make('nameless', 'clock', middle, '/')
    for (const [by, authority] of [
      [clock, 'CN=clock'],
      [nameless, 'a certificate without a name'],
    ] as const) {
      const files = new Map<string, Uint8Array>([
        ['timestamps/3.tsr', maker.stamp(CHECKPOINT, by)],
        [claimPath(0), CHECKPOINT],
      ])
      const seals = [{ previous_size: 0 } as SealEntry]
      const kept = (believed?: readonly Made[]) =>
        keptStamps(
          { read: async path => files.get(path) },
          { seals, head: { size: 3, root: Buffer.alloc(32), note: '' } },
          believed && readAuthorities(believed.map(one => maker.pem(one)).join('')),
        )
      expect(await kept()).toMatchObject({ findings: [], stamps: [{ size: 3, authority, signature: 'sound' }] })
      expect(await kept([root])).toMatchObject({ findings: [], stamps: [{ authority, signature: 'believed' }] })
      const foreign = await kept([maker.make('elsewhere', 'ca')])
      expect(foreign.findings).toMatchObject([{ kind: 'foreign-key', key: 'log/timestamps/3.tsr' }])
    }
  })

  it('is held against certificates alone', () => {
    expect(() => readAuthorities('')).toThrow('no certificate')
    expect(() => readAuthorities('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')).toThrow()
  })
})
