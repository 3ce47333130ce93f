import { vi } from 'vitest'

/** Looks every 25 ms until it holds. Throws after 10 s. */
export const waitUntil = (holds: () => boolean | Promise<boolean>): Promise<unknown> =>
  vi.waitUntil(holds, { timeout: 10_000, interval: 25 })
