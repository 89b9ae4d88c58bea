import { existsSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeFolder, sync, writeDurably } from '../store/durable.js'
import type { BagFile } from './bag.js'
import { EvidenceError } from './evidence-error.js'

/** Throws an `EvidenceError` where there is something already: a bundle is never written over another. */
export function refuseTaken(folder: string): void {
  if (existsSync(folder) && !isEmptyFolder(folder))
    throw new EvidenceError(`folder ${JSON.stringify(folder)} is not empty, expected one that is new or empty`)
}

function isEmptyFolder(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0
  } catch {
    return false
  }
}

/** Writes a bundle, whole or not at all. */
export function writeBundle(folder: string, files: readonly BagFile[]): void {
  refuseTaken(folder)
  const staged = `${folder.replace(/[/\\]+$/, '')}.${process.pid}.partial`
  try {
    for (const { path, bytes } of files) {
      const target = join(staged, ...path.split('/'))
      makeFolder(dirname(target))
      writeDurably(target, bytes, 'wx')
    }
    if (existsSync(folder)) rmdirSync(folder)
    renameSync(staged, folder)
    sync(dirname(join(folder)))
  } finally {
    rmSync(staged, { recursive: true, force: true })
  }
}
