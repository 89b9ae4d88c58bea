import { defineConfig } from 'vitest/config'

/** `npm run test:emulator`: the real template on an emulated AWS that enforces IAM. One file after the other. */
export default defineConfig({
  test: {
    include: ['test/emulator/**/*.test.ts'],
    setupFiles: 'test/each-file.ts',
    globalSetup: 'test/emulator/world.ts',
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 600_000,
  },
})
