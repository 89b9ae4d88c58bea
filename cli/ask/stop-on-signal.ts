/**
 * The first signal asks for an orderly end, of which `say` is told; a second one ends the process at once. `release`
 * gives the signals back.
 */
export function stopOnSignal(say: () => void): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController()
  const signals = ['SIGINT', 'SIGTERM'] as const
  const release = () => {
    for (const name of signals) process.off(name, onSignal)
  }
  const onSignal = () => {
    release()
    say()
    controller.abort()
  }
  for (const name of signals) process.on(name, onSignal)
  return { signal: controller.signal, release }
}
