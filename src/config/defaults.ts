import { availableParallelism } from 'node:os'
import type { Settings } from '../core/settings.ts'

const MiB = 1024 * 1024

/** Settings with nothing configured: pass-through on loopback, every built-in provider at its own address. */
export const defaultSettings: Settings = {
  host: '127.0.0.1',
  port: 4141,
  mode: 'pass-through',
  console: 'next',
  data: './weir-data',
  // The main thread keeps the ledger, so it counts as one.
  threads: Math.max(1, Math.min(4, availableParallelism() - 1)),
  providers: [],
  routes: [],
  policies: [],
  services: {},
  limits: {
    // Above the largest request that any provider takes inline (50 MB of files at OpenAI).
    body_bytes: 64 * MiB,
    concurrent_calls: 2000,
    connect_ms: 10_000,
    // Whole answers of reasoning models take minutes; the SDKs wait ten.
    head_ms: 600_000,
    idle_ms: 300_000,
    attempts: 3,
    drain_ms: 30_000,
    drain_bytes: 8 * MiB,
    shutdown_delay_ms: 0,
    shutdown_ms: 30_000,
  },
  breaker: { failures: 5, open_ms: 15_000 },
  on_client_gone: 'provider',
  budgets: [],
  prices: [],
  // As dear as the dearest text models on the market: an unpriced call must not slip under a budget.
  unpriced_ceiling: { input: '150', output: '600' },
  reserve_output_tokens: 16_384,
  channels: [],
  alerts: {
    watch: true,
    zone: 'UTC',
    off: [],
    floors: {},
    cooldowns: {},
    budget_percents: [50, 80, 100],
    keep_days: 400,
    keep_deliveries_days: 30,
    routes: [],
    contain: [],
  },
  log_level: 'warn',
}
