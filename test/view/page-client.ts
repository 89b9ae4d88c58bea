/** The page as a browser sees it, without a socket. */
import type { Hono } from 'hono'
import type { OpenArchive } from '../../library/archive.js'
import { openArchive } from '../../library/open-archive.js'
import { countRefused } from '../../store/refused-of-table.js'
import { type AppOptions, createApp } from '../../view/app.js'
import { ArchiveInView } from '../../view/archive-in-view.js'
import { Admission } from '../../view/safety.js'

const HOST = '127.0.0.1:4711'

/** A browser that was admitted. */
export interface PageClient {
  readonly app: Hono
  readonly admission: Admission
  readonly view: ArchiveInView
  /** Asks as a browser does; headers say what is otherwise. */
  readonly get: (path: string, headers?: Readonly<Record<string, string>>, method?: string) => Promise<Response>
  /** Hands files over as this page of its own does. */
  readonly post: (path: string, body: FormData, headers?: Readonly<Record<string, string>>) => Promise<Response>
  // biome-ignore lint/suspicious/noExplicitAny: what a screen holds is its own
  readonly json: (path: string) => Promise<any>
  readonly text: (path: string) => Promise<string>
  readonly close: () => Promise<void>
}

/** @default open - the folder `root` */
export async function browse(
  root: string,
  options: Partial<AppOptions> = {},
  open?: (signal: AbortSignal) => Promise<OpenArchive>,
): Promise<PageClient> {
  const refused = (table: string, sinceUs: number | null) => countRefused(root, table, sinceUs)
  const view = new ArchiveInView(open ?? (signal => openArchive(root, { refused, signal })), 0)
  const admission = new Admission()
  const app = createApp({ view, root, onAws: false, admission, hosts: () => [HOST], ...options })
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
    Promise.resolve(app.request(`http://${HOST}${path}`, { method, headers: { host: HOST, ...headers } }))
  const admitted = await ask(`/open?token=${admission.token}`)
  const cookie = (admitted.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const get: PageClient['get'] = (path, headers, method) => ask(path, { cookie, ...headers }, method)
  return {
    app,
    admission,
    view,
    get,
    post: async (path, body, headers = {}) =>
      app.request(`http://${HOST}${path}`, {
        method: 'POST',
        body,
        headers: { host: HOST, origin: `http://${HOST}`, cookie, ...headers },
      }),
    json: async path => (await get(path)).json(),
    text: async path => (await get(path)).text(),
    close: () => view.close(),
  }
}
