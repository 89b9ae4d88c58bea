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

/** Serves the page on this machine alone. Throws Node's own error for a port that is taken. */
export async function servePage(options: Omit<AppOptions, 'admission' | 'hosts'>, port: number): Promise<Served> {
  const admission = new Admission()
  let bound = port
  const hosts = () => [`127.0.0.1:${bound}`, `localhost:${bound}`]
  const app = createApp({ ...options, admission, hosts })
  const server = await new Promise<Server>((resolve, reject) => {
    const listening = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => resolve(listening as Server))
    listening.once('error', reject)
  })
  bound = (server.address() as AddressInfo).port
  return {
    link: `http://127.0.0.1:${bound}/open?token=${admission.token}`,
    close: async () => {
      ;(server as { closeAllConnections?: () => void }).closeAllConnections?.()
      await new Promise(resolve => server.close(resolve))
      await options.view.close()
    },
  }
}
