import { defineConfig } from 'vitest/config'
import { closingLine } from './test/closing-line.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // Many tests wait for a gateway, a window or a retry: two at a time keep both cores of a small machine busy.
    maxWorkers: 2,
    reporters: ['default', closingLine],
  },
})
