/** Where and with what something was measured: enough to judge a figure, nothing that names a host or a person. */
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'

export interface Machine {
  /** `Intel(R) Xeon(R), 2 cores, 8 GB, Linux 6.1`. */
  readonly hardware: string
  /** `Node 20.19.0, DuckDB 1.5.6-r.1`. */
  readonly software: string
}

/** Packages that figures depend on, as people call them. */
const PACKAGES = { '@duckdb/node-api': 'DuckDB', 'apache-arrow': 'Arrow', 'parquetjs-lite': 'parquetjs-lite' }

/** This machine and what runs on it. */
export function readMachine(): Machine {
  const cores = cpus()
  const model = cores[0]?.model.trim() || 'processor unknown'
  const gigabytes = Math.round(totalmem() / 1024 ** 3)
  const system = `${type()} ${release().split('.').slice(0, 2).join('.')}`
  const packages = Object.entries(PACKAGES).map(([name, called]) => `${called} ${versionOf(name)}`)
  return {
    hardware: `${model}, ${cores.length} ${cores.length === 1 ? 'core' : 'cores'}, ${gigabytes} GB, ${system}`,
    software: [`Node ${process.versions.node}`, ...packages].join(', '),
  }
}

function versionOf(name: string): string {
  const path = join(import.meta.dirname, '../node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version
}
