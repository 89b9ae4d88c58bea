/** The folder of an archive on a desk, in which row lines stand for Parquet: DuckDB takes a hundred times as long. */
import { copyFileSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RowConverter } from '../delivery/parquet-conversion.js'
import type { Contents } from './contents.js'
import { makeFastFolder } from './fast-folder.js'
import type { Process } from './process.js'

/** What lies in it. */
export class DeskFolder {
  readonly root = makeFastFolder('world')

  /** The lines of its objects of rows, by key. */
  rowObjects(): Contents {
    return this.files('data')
  }

  /** What it refused and kept. */
  refusedObjects(): Contents {
    return this.files('refused')
  }

  /** The facts that it kept. */
  facts(): Contents {
    return this.files('facts')
  }

  /** The configurations that it keeps. */
  configurations(): Contents {
    return this.files('config')
  }

  /** Read of the lines that stand for Parquet. */
  protected region(): string | undefined {
    const newest = this.rowObjects().at(-1)
    if (newest === undefined) return undefined
    return /"region":"([^"]*)"/.exec(Buffer.from(newest[1]).toString())?.[1]
  }

  private files(folder: string): Contents {
    const names = listFiles(join(this.root, folder))
    return names.map(name => [`${folder}/${name}`, readFileSync(join(this.root, folder, name))] as const)
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .sort()
  } catch {
    return []
  }
}

/** What stands for the making of Parquet; the process may die before and after it. */
export function converterOf(process: Process): RowConverter {
  return {
    convert: async (linesPath, parquetPath) => {
      await process.mayDie()
      copyFileSync(linesPath, parquetPath)
      await process.mayDie()
    },
    close: () => {},
  }
}
