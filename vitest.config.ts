import { defineConfig } from 'vitest/config'
import { closingLine } from './test/closing-line.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Guards against hanging, not measures of speed: a busy machine is several times slower than an idle one.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Many tests wait for a gateway, a window or a retry: two at a time keep both cores of a small machine busy.
    maxWorkers: 2,
    reporters: ['default', closingLine],
  },
})
