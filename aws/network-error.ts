const NETWORK_ERRORS = /^(E(CONN\w+|PIPE|TIMEDOUT|AI_AGAIN|NOTFOUND|HOSTUNREACH|NETUNREACH))$/

/** True where the network or the other side's machine failed, not the service. */
export function isNetworkError(error: unknown): boolean {
  return NETWORK_ERRORS.test((error as NodeJS.ErrnoException).code ?? '') || (error as Error).name === 'TimeoutError'
}
