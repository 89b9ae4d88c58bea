/** HTTP servers on loopback that stand in for AWS services in tests. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** A running server. */
export interface Loopback {
  readonly endpoint: string
  stop(): Promise<void>
}

/** Answers a request whose body has arrived, or leaves it open, or destroys its connection. */
export type Responder = (request: IncomingMessage, body: Buffer, response: ServerResponse) => unknown

/** Starts a server on a free port of 127.0.0.1. Stopping it ends every connection. */
export async function startLoopback(respond: Responder): Promise<Loopback> {
  const server = createServer(async (request, response) => {
    // a sender that gives up half-way is a test's intention, not the server's failure
    const body = await buffer(request).catch(() => undefined)
    if (body !== undefined) await respond(request, body, response)
  })
  // never closed while it is idle: a request that meets the closing would fail, for clients that try once
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A port of 127.0.0.1 that nobody listens on, for a program that has to be told one. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** For SDK clients: any region and credentials do. */
export const LOOPBACK_CONNECTION = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'loopback', secretAccessKey: 'loopback' },
} as const
