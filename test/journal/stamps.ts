/** Time stamps as OpenSSL makes them, and such as no authority should: of any certificate, algorithm or content. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const CONFIG = `
[tsa]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[tsa1]
serial = serial
crypto_device = builtin
signer_digest = sha512
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha1
[req]
distinguished_name = name
[name]
[clock]
extendedKeyUsage = critical,timeStamping
[loose]
extendedKeyUsage = timeStamping
[more]
extendedKeyUsage = critical,timeStamping,serverAuth
[server]
extendedKeyUsage = critical,serverAuth
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[ca0]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign
[names]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
nameConstraints = permitted;DNS:example.com
`

/** A certificate and its key, as files of a folder. */
export interface Made {
  readonly name: string
  readonly issuer: Made | undefined
}

export class StampMaker {
  constructor(readonly folder: string) {
    this.write('made.cnf', CONFIG)
    this.write('serial', '01\n')
  }

  private write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, name), content)
  }

  private openssl(...args: readonly string[]): Buffer {
    return execFileSync('openssl', args, { cwd: this.folder, stdio: 'pipe' })
  }

  /** A certificate of a section of the configuration, signed by itself or by an issuer. */
  make(name: string, section: string, issuer?: Made, whom = `/CN=${name.split('.')[0]}`): Made {
    const key = name.includes('rsa') ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
    const by = issuer === undefined ? [] : ['-CA', `${issuer.name}.pem`, '-CAkey', `${issuer.name}.key`]
    const subject = ['-subj', whom, '-config', 'made.cnf', '-extensions', section]
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`]
    this.openssl('req', '-x509', '-newkey', ...key, '-nodes', ...subject, ...files, ...by, '-days', '2')
    return { name, issuer }
  }

  pem({ name }: Made): string {
    return readFileSync(join(this.folder, `${name}.pem`), 'utf8')
  }

  /** An authority's answer over some bytes, with the certificates above its own. */
  stamp(stamped: Uint8Array, { name, issuer }: Made, section = 'tsa'): Buffer {
    this.write('stamped', stamped)
    this.openssl('ts', '-query', '-data', 'stamped', '-sha256', '-cert', '-out', 'asked.tsq')
    const above: string[] = []
    for (let one = issuer; one !== undefined; one = one.issuer) above.push(this.pem(one))
    this.write('above.pem', above.join(''))
    const chain = above.length === 0 ? [] : ['-chain', 'above.pem']
    const by = ['-section', section, '-signer', `${name}.pem`, '-inkey', `${name}.key`, ...chain]
    return this.openssl('ts', '-reply', '-config', 'made.cnf', '-queryfile', 'asked.tsq', ...by)
  }

  /** An answer that holds some content as OpenSSL's `cms` signs it: what `ts` refuses to make. */
  forge(content: Uint8Array, signers: readonly Made[], ...more: readonly string[]): Buffer {
    this.write('content', content)
    const by = signers.flatMap(({ name }) => ['-signer', `${name}.pem`, '-inkey', `${name}.key`])
    const kind = ['-econtent_type', '1.2.840.113549.1.9.16.1.4', '-binary', '-nodetach', '-md', 'sha256']
    const token = this.openssl('cms', '-sign', '-cades', ...kind, '-in', 'content', '-outform', 'DER', ...by, ...more)
    return sequence(sequence(Buffer.from('020100', 'hex')), token)
  }

  /** What an answer's signature is over: its TSTInfo. */
  contentOf(answer: Uint8Array): Buffer {
    this.write('answer.tsr', answer)
    this.openssl('ts', '-reply', '-in', 'answer.tsr', '-token_out', '-out', 'token.der')
    return this.openssl('cms', '-verify', '-noverify', '-inform', 'DER', '-in', 'token.der', '-binary')
  }

  /** Whether OpenSSL believes an answer by some certificates. */
  verifies(answer: Uint8Array, stamped: Uint8Array, authorities: readonly Made[]): boolean {
    this.write('answer.tsr', answer)
    this.write('stamped', stamped)
    this.write('believed.pem', authorities.map(one => this.pem(one)).join(''))
    const args = ['ts', '-verify', '-in', 'answer.tsr', '-data', 'stamped', '-CAfile', 'believed.pem', '-partial_chain']
    return spawnSync('openssl', args, { cwd: this.folder }).status === 0
  }
}

/** A SEQUENCE of DER, of any length. */
function sequence(...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  const head = content.length < 128 ? Buffer.of(0x30, content.length) : Buffer.concat([Buffer.of(0x30, 0x84), length])
  return Buffer.concat([head, content])
}
