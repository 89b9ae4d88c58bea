import { configDefaults, defineConfig } from 'vitest/config'

/** The page in a real Chromium: what only a browser shows. */
export const VIEW = ['test/view/**/*.browser.test.ts']

/** `npm run test:view`; skipped by name where there is no Chromium. */
export default defineConfig({
  test: {
    include: VIEW,
    exclude: [...configDefaults.exclude],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
