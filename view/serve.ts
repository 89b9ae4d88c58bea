import type { AddressInfo, Server } from 'node:net'
import { serve } from '@hono/node-server'
import { type AppOptions, createApp } from './app.js'
import { Admission } from './safety.js'

/** A page that is being served. */
export interface Served {
  /** Good once: whoever opens it first is admitted. */
  readonly link: string
  readonly close: () => Promise<void>
}

/** An item's address has its key, of up to 3,072 bytes, each as three signs and in JSON as more. */
const MOST_HEADERS = 64 * 1024

/** Serves the page on this machine alone. Throws Node's own error for a port that is taken. */
export async function servePage(shown: Omit<AppOptions, 'admission' | 'hosts'>, port: number): Promise<Served> {
  const admission = new Admission()
  let bound = port
  const hosts = () => [`127.0.0.1:${bound}`, `localhost:${bound}`]
  const app = createApp({ ...shown, admission, hosts })
  const server = await new Promise<Server>((resolve, reject) => {
    const options = { fetch: app.fetch, port, hostname: '127.0.0.1', serverOptions: { maxHeaderSize: MOST_HEADERS } }
    const listening = serve(options, () => resolve(listening as Server))
    listening.once('error', reject)
  })
  bound = (server.address() as AddressInfo).port
  return {
    link: `http://127.0.0.1:${bound}/open?token=${admission.token}`,
    close: async () => {
      ;(server as { closeAllConnections?: () => void }).closeAllConnections?.()
      await new Promise(resolve => server.close(resolve))
      await shown.view.close()
    },
  }
}
