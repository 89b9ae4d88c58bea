/** OpenSSL as a whole time-stamp authority, behind a loopback server; undefined where there is no OpenSSL 3. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

export const hasOpenssl = /^OpenSSL 3/.test(spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout ?? '')

export interface Authority {
  readonly url: string
  /** The file of its certificate. */
  readonly certificate: string
  /** Whether OpenSSL believes that the answer is the authority's over these bytes. */
  verifies(answer: Uint8Array, stamped: Uint8Array): boolean
  close(): void
}

const CONFIG = `
[tsa]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[req]
distinguished_name = name
[name]
[ext]
extendedKeyUsage = critical,timeStamping
`

/** `spoil` may change an answer before it is sent. */
export async function startAuthority(folder: string, spoil = (answer: Buffer) => answer): Promise<Authority> {
  writeFileSync(join(folder, 'tsa.cnf'), CONFIG)
  writeFileSync(join(folder, 'serial'), '01\n')
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const subject = ['-subj', '/CN=A clock', '-config', 'tsa.cnf', '-extensions', 'ext', '-days', '2']
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'tsa.key', '-out', 'tsa.pem', ...subject)
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    writeFileSync(join(folder, 'asked.tsq'), Buffer.concat(pieces))
    const options = ['-config', 'tsa.cnf', '-section', 'tsa', '-signer', 'tsa.pem', '-inkey', 'tsa.key']
    const answer = openssl('ts', '-reply', '-queryfile', 'asked.tsq', ...options)
    response.setHeader('content-type', 'application/timestamp-reply').end(spoil(answer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const verifies = (answer: Uint8Array, stamped: Uint8Array) => {
    writeFileSync(join(folder, 'answer.tsr'), answer)
    writeFileSync(join(folder, 'stamped'), stamped)
    const args = ['ts', '-verify', '-in', 'answer.tsr', '-data', 'stamped', '-CAfile', 'tsa.pem']
    return spawnSync('openssl', args, { cwd: folder }).status === 0
  }
  const { port } = server.address() as AddressInfo
  const certificate = join(folder, 'tsa.pem')
  return { url: `http://127.0.0.1:${port}/`, certificate, verifies, close: () => server.close() }
}
