/** Vitest's global set-up: one Trino for all files of a run, and what they found of each query at its end. */
import { beginMatrix } from './matrix.js'
import { startSharedTrino } from './server.js'

export async function setup(): Promise<() => Promise<void>> {
  const printMatrix = beginMatrix()
  const stop = await startSharedTrino()
  return async () => {
    await stop()
    printMatrix()
  }
}
