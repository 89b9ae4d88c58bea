/** Vitest's global set-up: one Trino for all files of a run. */
export { startSharedTrino as setup } from './server.js'
