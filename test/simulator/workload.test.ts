import { expect, test } from 'vitest'
import { planWorkload, runWorkload } from '../../demo/workload.ts'
import { startSimulator } from '../../simulator/start.ts'

test('the demo’s workload is understood by the providers it is sent to, and shows every way to leak', async () => {
  const simulator = await startSimulator({ seed: 4 })
  const { base_urls } = simulator
  const workload = planWorkload(0.1)
  const doings = new Set<string>()
  const ran = await runWorkload({
    workload,
    concurrency: 8,
    endpoints: {
      openai: base_urls.openai,
      anthropic: base_urls.anthropic,
      google: base_urls.google,
      compatible: (provider) => (provider === 'deepseek' ? base_urls.deepseek : base_urls['x-ai']),
    },
    progress: (_, doing) => doings.add(doing),
  })
  await simulator.close()
  expect(ran).toMatchObject({ calls: workload.calls, failed: 0 })
  expect(doings.size).toBeGreaterThanOrEqual(12)
  expect(simulator.calls.filter((call) => call.status !== 200)).toEqual([])
  const teams = new Set(simulator.calls.map((call) => call.headers['x-weir-team'] ?? 'untagged'))
  expect([...teams].sort()).toEqual(
    [
      'data',
      'engineering',
      'growth',
      'legal',
      'mobile',
      'platform',
      'research',
      'search',
      'support',
      'untagged',
    ].sort(),
  )
})
