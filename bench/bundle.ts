import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ORDERS } from './orders.js'

const BUNDLE = fileURLToPath(new URL('../dist/lambda/transform/index.mjs', import.meta.url))
const NODE_24 = fileURLToPath(new URL('../.cache/node-24/24.9.0/node_modules/node/bin/node', import.meta.url))

/** The Node that handlers are measured on: the 24 of Lambda where the tests have fetched it, else this one. */
export function nodeForHandlers(): string {
  return existsSync(NODE_24) ? NODE_24 : process.execPath
}

/** Calls `use` with the URLs of the transform's bundle, its table beside it, and of an empty handler. */
export async function withBundles<T>(use: (bundle: string, empty: string) => Promise<T>): Promise<T> {
  if (!existsSync(BUNDLE)) throw new Error(`${BUNDLE} is not there: npm run build makes it`)
  const folder = mkdtempSync(join(tmpdir(), 'itemtrail-bench-'))
  try {
    copyFileSync(BUNDLE, join(folder, 'index.mjs'))
    writeFileSync(join(folder, 'table.json'), JSON.stringify(ORDERS))
    writeFileSync(join(folder, 'empty.mjs'), 'export const handler = async event => ({ records: [] })\n')
    const urlOf = (name: string) => JSON.stringify(pathToFileURL(join(folder, name)).href)
    return await use(urlOf('index.mjs'), urlOf('empty.mjs'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
