import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PATHS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Where a Chromium is; undefined where there is none, and tests that need one are skipped by name. */
export const CHROMIUM = PATHS.find(path => path !== undefined && existsSync(path))

/** A Chromium without a window. */
export function launch(): Promise<Browser> {
  // a sandbox of its own is not to be had in most containers; it opens our own pages only
  return chromium.launch({ executablePath: CHROMIUM as string, args: ['--no-sandbox'] })
}
