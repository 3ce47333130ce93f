/**
 * Runs every benchmark but that of anomalies (`npm run bench:anomalies`, whose figures are no times), one after the other, each in a process of its own: `npm run bench`, or some by name:
 * `npm run bench -- gateway house`. Each prints its table and writes its figures to bench/results/.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const benches: Readonly<Record<string, readonly string[]>> = {
  gateway: ['gateway/cpu.ts'],
  ledger: ['ledger/run.ts'],
  house: ['house/run.ts'],
  import: ['import/run.ts'],
  advise: ['advise/run.ts'],
  compact: ['compact/run.ts'],
  levers: ['levers/cpu.ts'],
  semantic: ['levers/semantic.ts'],
  watch: ['watch/run.ts'],
  budgets: ['budgets/run.ts'],
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in benches))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are: ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
for (const [name, [file = '', ...words]] of Object.entries(benches)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  console.log(`\n${name}: node bench/${file} ${words.join(' ')}`)
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...words], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = 1
}
