/** A server in a process of its own, for `cpu.ts`: it says its port and where its data lie. `usage.ts` says the rest. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Budget } from '../../src/core/budget.ts'
import './usage.ts'

const [kind = '', origin = ''] = process.argv.slice(2)

type Started = Readonly<{ port: number; data?: string }>

const weir = async (budgets: readonly Budget[] = []): Promise<Started> => {
  const { defaultSettings } = await import('../../src/config.ts')
  const { startGateway } = await import('../../src/gateway/start.ts')
  const data = mkdtempSync(join(tmpdir(), 'weir-bench-'))
  process.on('exit', () => rmSync(data, { recursive: true, force: true }))
  const ledger = process.env['WEIR_BENCH_LEDGER'] !== '0'
  const running = await startGateway(
    {
      ...defaultSettings,
      port: 0,
      threads: Number(process.env['WEIR_BENCH_THREADS'] ?? 1),
      data,
      log_level: 'warn',
      budgets,
      providers: [{ name: 'openai', adapter: 'openai', base_url: `${origin}/v1`, options: {}, credentials: {} }],
    },
    { ledger },
  )
  await running.ledger_ready
  return { port: running.port, ...(ledger ? { data } : {}) }
}

const kinds: Readonly<Record<string, () => Promise<Started>>> = {
  simulator: async () => {
    const { startSimulator } = await import('../../simulator/start.ts')
    return { port: (await startSimulator({ canned: true, chunk_tokens: 4 })).port }
  },
  bare: async () => ({ port: await (await import('./bare.ts')).startBare(origin) }),
  weir,
  'weir, ten budgets': async () => weir((await import('../budgets/scopes.ts')).tenBudgets()),
}

process.send?.(await kinds[kind]?.())
