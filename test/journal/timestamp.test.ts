import { describe, expect, it } from 'vitest'
import { askTimestamp, readTimestamp } from '../../journal/timestamp.js'
import { TimestampError } from '../../journal/timestamp-error.js'
import { temporaryFolder } from '../delivery/desk.js'
import { hasOpenssl, startAuthority } from './time-authority.js'

const CHECKPOINT = Buffer.from('example.com/log\n3\nroot\n')

describe.skipIf(!hasOpenssl)(`a time stamp${hasOpenssl ? '' : ' (skipped: no OpenSSL 3)'}`, () => {
  it('of an authority is what OpenSSL believes, and names the time', async () => {
    const authority = await startAuthority(temporaryFolder())
    const { answer, time } = await askTimestamp(authority.url, CHECKPOINT)
    authority.close()
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000)
    expect(authority.verifies(answer, CHECKPOINT)).toBe(true)
    expect(authority.verifies(answer, Buffer.from('another'))).toBe(false)
    expect(readTimestamp(answer, CHECKPOINT)).toMatchObject({
      time,
      signer: { certificate: { subject: 'CN=A clock' } },
    })
    expect(() => readTimestamp(answer, Buffer.from('another'))).toThrow('is a time stamp of other bytes')
  })

  it.each<[string, (answer: Buffer) => Buffer, RegExp]>([
    ['cut off', answer => answer.subarray(0, 100), /is no time stamp/],
    ['empty', () => Buffer.alloc(0), /is no time stamp/],
    ['a page', () => Buffer.from('<html>no</html>'), /time stamp|refused/],
    [
      'signed otherwise',
      answer => {
        answer.writeUInt8(answer.readUInt8(answer.length - 9) ^ 1, answer.length - 9)
        return answer
      },
      /signature that is not that of its certificate/,
    ],
    ['endless', () => Buffer.alloc(2 * 1024 ** 2), /more than 1048576 bytes/],
  ])('that is %s is refused', async (_, spoil, message) => {
    const authority = await startAuthority(temporaryFolder(), spoil)
    await expect(askTimestamp(authority.url, CHECKPOINT)).rejects.toThrow(message)
    await expect(askTimestamp(authority.url, CHECKPOINT)).rejects.toThrow(TimestampError)
    authority.close()
  })

  it('of an earlier request is refused', async () => {
    let first: Buffer | undefined
    const authority = await startAuthority(temporaryFolder(), answer => (first ??= answer))
    await askTimestamp(authority.url, CHECKPOINT)
    await expect(askTimestamp(authority.url, CHECKPOINT)).rejects.toThrow('of another request')
    authority.close()
  })
})
