/** The Chromium of this machine, and a page that is served to it by the built command line. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Response,
} from 'playwright-core'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Where a Chromium is; undefined where there is none. `CHROMIUM` names another. */
export const CHROMIUM = [process.env.CHROMIUM, ...PLACES].find(path => path !== undefined && existsSync(path))

/** A browser that finds no host but this machine. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM as string,
    // a container has neither a sandbox nor much shared memory
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'],
  })
}

/** `itemtrail view`, running. */
export interface Served {
  /** Good once. */
  readonly link: string
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly stop: () => Promise<void>
}

/** The built command line. */
export const PROGRAM = join(import.meta.dirname, '../../../dist/cli/itemtrail.js')

/** Starts `itemtrail view` as a user does, in a folder. */
export async function serveView(root: string, more: readonly string[] = [], cwd = '.'): Promise<Served> {
  const child = spawn(process.execPath, [PROGRAM, 'view', '--archive', root, '--no-open', ...more], { cwd })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  let told = ''
  const link = await new Promise<string>((resolve, reject) => {
    const hear = (text: Buffer) => {
      told += text.toString()
      const found = /^http:\/\/127\.0\.0\.1:\d+\/\S+$/m.exec(told)
      if (found !== null) resolve(found[0])
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', code => reject(new Error(`itemtrail view ended with ${code}: ${told}`)))
  })
  const stop = async () => {
    child.kill('SIGINT')
    await ended
  }
  return { link, origin: new URL(link).origin, stop }
}

/** Opens an address once it is found out how sure it is: until then a page looks again by itself, under every hand. */
export async function openJudged(page: Page, address: string): Promise<Response | null> {
  for (let look = 0; look < 300; look++) {
    const html = await (await page.request.get(address)).text()
    if (!html.includes('data-pending')) return page.goto(address)
    await page.waitForTimeout(200)
  }
  throw new Error(`${address} is not judged after a minute`)
}

/** A browser's session that was admitted, and what it complained of. */
export interface Visit {
  readonly context: BrowserContext
  readonly page: Page
  /** Errors of the console, of scripts, of requests that failed or left this machine, and dialogs. */
  readonly complaints: string[]
}

/** Opens the link, once for all visits of a server: later ones are given the cookies of the first. */
export async function visit(browser: Browser, served: Served, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
  const complaints: string[] = []
  const page = await context.newPage()
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`console: ${message.text()}`)
  })
  page.on('pageerror', error => complaints.push(`script: ${error.message}`))
  page.on('dialog', async dialog => {
    complaints.push(`dialog: ${dialog.message()}`)
    await dialog.dismiss()
  })
  context.on('request', request => {
    if (new URL(request.url()).origin !== served.origin) complaints.push(`request to ${request.url()}`)
  })
  if (options.storageState === undefined) await context.request.get(served.link)
  return { context, page, complaints }
}
