import { existsSync, readFileSync } from 'node:fs'

const IO = '/proc/self/io'

/** Whether this system counts what a process reads. */
export const COUNTS_BYTES = existsSync(IO)

/** Bytes that this process has read from files so far, whether they came from the disk or from memory. */
export function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync(IO, 'utf8'))?.[1])
}

/** What something reads. */
export async function bytesOf(work: () => Promise<unknown>): Promise<number> {
  const before = bytesRead()
  await work()
  return bytesRead() - before
}

/** `6.4 MB`. */
export function showBytes(bytes: number): string {
  return bytes < 100_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`
}
