/**
 * Bringing the real agent sessions in and asking about them, each as a command of its own with everything that a start
 * costs. Run: `node bench/import/run.ts` with the shared data folder beside the checkout.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { quantile } from '../gateway/load.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const file = join(root, '../shared/data/agent-sessions.jsonl.gz')
const ROUNDS = 3

if (!existsSync(file)) {
  console.log(`skipped: ${file} is not there`)
  process.exit(0)
}

/** Seconds that a command takes, from its start to its end. */
const seconds = (words: readonly string[]): number => {
  const begun = performance.now()
  execFileSync(process.execPath, ['src/main.ts', ...words], { cwd: root, stdio: 'ignore' })
  return (performance.now() - begun) / 1000
}

const commands: Readonly<Record<string, readonly string[]>> = {
  import: ['import', 'agent-trace', file],
  'import again': ['import', 'agent-trace', file],
  report: ['report'],
  leaks: ['leaks'],
}
const times = new Map<string, number[]>()
for (let round = 0; round < ROUNDS; round += 1) {
  const data = mkdtempSync(join(tmpdir(), 'weir-bench-'))
  for (const [name, words] of Object.entries(commands))
    times.set(name, [...(times.get(name) ?? []), seconds([...words, '--data', data])])
  rmSync(data, { recursive: true, force: true })
}
const rows = [...times].map(([command, all]) => ({
  command,
  seconds:
    Math.round(
      quantile(
        [...all].sort((a, b) => a - b),
        0.5,
      ) * 100,
    ) / 100,
  ...(command === 'import' && { limit: 5 }),
}))
console.table(rows)
mkdirSync(new URL('../results/', import.meta.url), { recursive: true })
writeFileSync(
  new URL('../results/import.json', import.meta.url),
  `${JSON.stringify({ rounds: ROUNDS, rows }, null, 2)}\n`,
)
