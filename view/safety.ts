import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'

/** Nothing is loaded but the style and the script of this server; no page of another may frame it. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** Who may look: whoever has the token first, and from then on the browser that has the cookie. */
export class Admission {
  readonly token = randomBytes(32).toString('base64url')
  private readonly session = randomBytes(32).toString('base64url')
  private isSpent = false

  /** True once, for the right token. */
  admit(token: string): boolean {
    if (this.isSpent || !isSame(token, this.token)) return false
    this.isSpent = true
    return true
  }

  /** Cookies are shared by all ports of an address, so the name has the port. */
  private name(c: Context): string {
    return `itemtrail-${new URL(c.req.url).port || '80'}`
  }

  remember(c: Context): void {
    setCookie(c, this.name(c), this.session, { httpOnly: true, sameSite: 'Strict', path: '/' })
  }

  isKnown(c: Context): boolean {
    return isSame(getCookie(c, this.name(c)) ?? '', this.session)
  }
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/**
 * Lets through what comes from this machine's own browser: the server's own name, so that no other name can be made to
 * lead here; its own pages; GET alone, but for papers that one of them hands over to be checked; and a cookie.
 */
export function guard(hosts: () => readonly string[], admission: Admission): MiddlewareHandler {
  return async (c, next) => {
    const refused = refusalOf(c, hosts(), admission)
    if (refused === undefined) await next()
    else c.res = c.text(refused[1], refused[0])
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value)
    if (refused?.[0] === 405) c.res.headers.set('allow', 'GET, HEAD')
  }
}

/** Where papers are handed over to be checked: nothing of them is kept. */
export const CHECKING = '/check'

type Refusal = readonly [status: 401 | 403 | 405 | 421, text: string]

function refusalOf(c: Context, hosts: readonly string[], admission: Admission): Refusal | undefined {
  const { method } = c.req
  const handsOver = method === 'POST' && c.req.path === CHECKING
  if (method !== 'GET' && method !== 'HEAD' && !handsOver)
    return [405, `method ${method} is not answered, expected GET: nothing is written here\n`]
  const host = c.req.header('host') ?? ''
  if (!hosts.includes(host)) return [421, `host is another than this server's, expected ${hosts.join(' or ')}\n`]
  const origin = c.req.header('origin')
  const site = c.req.header('sec-fetch-site')
  // a browser says with every POST whose page sends it, but of a form of a page that refers to nobody only whether that
  // is of the same origin
  const isOwnForm = handsOver && origin === 'null' && site === 'same-origin'
  if (handsOver && origin === undefined) return [403, 'origin is missing, expected this page\n']
  if (origin !== undefined && !isOwnForm && !hosts.some(own => origin === `http://${own}`))
    return [403, 'origin is another page\n']
  if (site === 'cross-site' && c.req.header('sec-fetch-mode') !== 'navigate') return [403, 'origin is another page\n']
  if (c.req.path === '/open' || admission.isKnown(c)) return undefined
  return [
    401,
    'not admitted: open the link that itemtrail view printed; it is good once, and a new start prints a new one\n',
  ]
}
