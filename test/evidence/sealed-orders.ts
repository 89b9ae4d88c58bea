/** The bundled orders as a sealed archive in a folder, and bundles of questions asked of it. */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { openInput } from '../../capture/input.js'
import { readConfiguration } from '../../config/configuration.js'
import { ingest } from '../../delivery/ingest.js'
import { type BagFile, bagOf } from '../../evidence/bag.js'
import { bundleIn } from '../../evidence/bundle-folder.js'
import { type EvidenceRequest, giveEvidence } from '../../evidence/give-evidence.js'
import type { BundleFiles } from '../../evidence/verify-bundle.js'
import type { OpenArchive } from '../../library/archive.js'
import { openArchive } from '../../library/open-archive.js'
import { formatVkey, signerOf } from '../../proof/note.js'
import { DiskArchive } from '../../store/folder.js'
import type { TableConfiguration } from '../../transform/table-configuration.js'
import { NOW, temporaryFolder } from '../delivery/desk.js'
import { IDENTITY } from '../journal/desk-journal.js'
import { WITNESS_SEED } from '../proof/vectors.js'

const ORDERS = new URL('../../examples/orders/', import.meta.url).pathname
export const ORDERS_TABLE = readConfiguration(join(ORDERS, 'itemtrail.config.json')).tables.get(
  'Orders',
) as TableConfiguration

/** A key of another log. */
export const OTHER_VKEY = formatVkey(signerOf('other.example/log', WITNESS_SEED))

/** The folder of an archive with the bundled orders, not sealed yet. */
export async function ordersArchive(): Promise<string> {
  const root = temporaryFolder()
  const input = await openInput(join(ORDERS, 'orders.jsonl.gz'), Readable.from([]))
  const options = { archive: new DiskArchive(root), configurationOf: () => ORDERS_TABLE, now: () => NOW }
  await ingest(input.bytes, input.modifiedAt, options)
  return root
}

/** The bundle of a saved query's answer, columns at `redact` left out. */
export async function bundleOf(
  root: string,
  query: 'deletions' | 'volume-by-hour',
  parameters: { from: string; to: string },
  redact: readonly string[] = [],
): Promise<MemoryBundle> {
  await using archive: OpenArchive = await openArchive(root, { tables: [ORDERS_TABLE] })
  return await givenBundle({
    archive,
    root,
    identity: IDENTITY,
    answer: await archive.run(query, 'Orders', parameters),
    redact,
  })
}

/** The bundle that is written of an answer, read back. */
export async function givenBundle(request: EvidenceRequest): Promise<MemoryBundle> {
  const folder = temporaryFolder('bag')
  await giveEvidence(folder, request)
  const files = bundleIn(folder)
  return new MemoryBundle(files.list().map(path => ({ path, bytes: files.read(path) as Uint8Array })))
}

/** A bundle in memory, which a test may change. */
export class MemoryBundle implements BundleFiles {
  readonly files: Map<string, Uint8Array>

  constructor(files: Iterable<BagFile>) {
    this.files = new Map([...files].map(({ path, bytes }) => [path, bytes]))
  }

  list() {
    return [...this.files.keys()].sort()
  }

  read(path: string) {
    return this.files.get(path)
  }

  text(path: string): string {
    return Buffer.from(this.files.get(path) as Uint8Array).toString()
  }

  copy(): MemoryBundle {
    return new MemoryBundle([...this.files].map(([path, bytes]) => ({ path, bytes: Uint8Array.from(bytes) })))
  }

  /** Makes the manifests anew, as whoever changes a bundle can. */
  remade(): this {
    const made = ['bagit.txt', 'manifest-sha256.txt', 'tagmanifest-sha256.txt']
    const files = [...this.files].filter(([path]) => !made.includes(path) && path !== 'bag-info.txt')
    const info = this.text('bag-info.txt').split('\n').slice(0, -2)
    const bag = bagOf(
      files.map(([path, bytes]) => ({ path, bytes })),
      info.map(line => line.split(': ') as [string, string]),
    )
    this.files.clear()
    for (const { path, bytes } of bag) this.files.set(path, bytes)
    return this
  }

  /** Makes the manifests anew, whatever the tag files say. */
  rehashed(): this {
    for (const [manifest, isOf] of [
      ['manifest-sha256.txt', (path: string) => path.startsWith('data/')],
      ['tagmanifest-sha256.txt', (path: string) => !path.startsWith('data/') && !path.startsWith('tagmanifest')],
    ] as const) {
      const lines = this.list()
        .filter(isOf)
        .map(path => `${hash('sha256', this.read(path) as Uint8Array)}  ${path}\n`)
      this.files.set(manifest, Buffer.from(lines.join('')))
    }
    return this
  }

  /** Puts a text in the place of a file's. */
  edit(path: string, change: (text: string) => string): this {
    this.files.set(path, Buffer.from(change(this.text(path))))
    return this
  }
}
