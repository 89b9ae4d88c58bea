import { hash } from 'node:crypto'

/** A BagIt bag (RFC 8493) as files by path: payload below `data/`, two manifests that `sha256sum -c` checks. */

/** A file of a bag. */
export interface BagFile {
  /** With "/" between folders, relative to the bag. */
  readonly path: string
  readonly bytes: Uint8Array
}

export const MANIFEST = 'manifest-sha256.txt'
export const TAG_MANIFEST = 'tagmanifest-sha256.txt'
export const PAYLOAD = 'data/'

/** What `bagit.txt` says of every bag. */
export const DECLARATION = 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n'

const OXUM = 'Payload-Oxum'

function oxumOf(sizes: readonly number[]): string {
  return `${sizes.reduce((sum, size) => sum + size, 0)}.${sizes.length}`
}

/** True of a `bag-info.txt` that says once, and rightly, how large the payload is. */
export function tellsPayload(info: string, sizes: readonly number[]): boolean {
  const told = info.split('\n').filter(line => line.startsWith(`${OXUM}:`))
  return told.length === 1 && told[0] === `${OXUM}: ${oxumOf(sizes)}`
}

/** All files of a bag, in order: payload and tag files as they are given, then what BagIt asks for. */
export function bagOf(
  files: readonly BagFile[],
  info: readonly (readonly [label: string, value: string])[],
): readonly BagFile[] {
  const payload = files.filter(({ path }) => path.startsWith(PAYLOAD))
  const lines = [...info, [OXUM, oxumOf(payload.map(({ bytes }) => bytes.length))] as const]
  const tags = [
    ...files.filter(({ path }) => !path.startsWith(PAYLOAD)),
    textFile('bagit.txt', DECLARATION),
    textFile('bag-info.txt', lines.map(([label, value]) => `${label}: ${value.replaceAll(/\s+/g, ' ')}\n`).join('')),
    textFile(MANIFEST, manifestOf(payload)),
  ]
  return [...payload, ...tags, textFile(TAG_MANIFEST, manifestOf(tags))]
}

/** A file of text. */
export function textFile(path: string, text: string): BagFile {
  return { path, bytes: Buffer.from(text) }
}

function manifestOf(files: readonly BagFile[]): string {
  const lines = files.map(({ path, bytes }) => `${hash('sha256', bytes)}  ${path}\n`)
  return lines.sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join('')
}

/** The hashes of a manifest by path; undefined where a line is none, or a path is there twice. */
export function readBagManifest(text: string): ReadonlyMap<string, string> | undefined {
  const hashes = new Map<string, string>()
  for (const line of text.split('\n').slice(0, -1)) {
    const [, sha256, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? []
    if (sha256 === undefined || path === undefined || hashes.has(path)) return undefined
    hashes.set(path, sha256)
  }
  return text === '' || text.endsWith('\n') ? hashes : undefined
}
