/**
 * How well trouble is found: recall, delay, dollars lost before the alert, and false alerts, by what was injected.
 * `npm run bench:anomalies` reports on seeds that nothing was tuned on; `node bench/anomalies/run.ts tune` shows the tuning
 * seeds and writes nothing. See docs/anomalies.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { defaultSettings } from '../../src/playbook/allocate/detect/settings.ts'
import { DAY_US, START_US } from './calls.ts'
import { injections } from './inject.ts'
import { hasTraces, type Source } from './streams.ts'
import { type Quiet, runSeed, type Trial } from './trial.ts'

const TUNED_ON = [1, 2, 3]
const REPORTED_ON = [101, 102, 103, 104, 105, 106]
/** The first week is a cold start and is counted apart. */
const COLD_DAYS = 7
const DAYS = 28

const tuning = process.argv[2] === 'tune'
const seeds = tuning ? TUNED_ON : REPORTED_ON
const sources: Source[] = hasTraces() ? ['synthetic', 'real'] : ['synthetic']
if (!hasTraces()) console.log('The real traces are absent: only invented streams are run.')

const quiets: Quiet[] = []
const trials: Trial[] = []
for (const source of sources) {
  for (const seed of seeds) {
    const result = runSeed(source, seed, defaultSettings)
    quiets.push(result.quiet)
    trials.push(...result.trials)
    process.stderr.write(`\r${source} ${seed} `)
  }
}
process.stderr.write('\r')

const round = (value: number, places = 2) => Number(value.toFixed(places))
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
const quantile = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN

/** Recall among trouble that costs at least so much: the dollar floors leave out the rest on purpose. */
const recallOver = (usd: number, all: readonly Trial[]) => {
  const large = all.filter((trial) => trial.injected_usd >= usd)
  return round(large.filter((trial) => trial.found).length / large.length)
}

const summary = (source: Source, injection: string) => {
  const all = trials.filter((trial) => trial.source === source && trial.injection === injection)
  const found = all.filter((trial) => trial.found)
  const kinds = Object.groupBy(found, ({ kind = '' }) => kind)
  const by = Object.entries(kinds).sort((a, b) => (b[1]?.length ?? 0) - (a[1]?.length ?? 0))
  return {
    source,
    injection,
    trials: all.length,
    recall: round(found.length / all.length),
    recall_over_5_usd: recallOver(5, all),
    delay_minutes_p50: round(
      quantile(
        found.map((trial) => trial.delay_minutes),
        0.5,
      ),
      1,
    ),
    delay_minutes_p90: round(
      quantile(
        found.map((trial) => trial.delay_minutes),
        0.9,
      ),
      1,
    ),
    injected_usd_mean: round(mean(all.map((trial) => trial.injected_usd))),
    lost_usd_mean: round(mean(all.map((trial) => trial.lost_usd))),
    lost_usd_p50: round(
      quantile(
        all.map((trial) => trial.lost_usd),
        0.5,
      ),
    ),
    found_by: by.map(([kind, list]) => `${kind} ${list?.length}`).join(', '),
  }
}

const alarms = (source: Source) => {
  const runs = quiets.filter((quiet) => quiet.source === source)
  const warm_us = START_US + COLD_DAYS * DAY_US
  const count = (cold: boolean) =>
    runs.reduce((sum, { findings }) => sum + findings.filter(({ at_us }) => at_us < warm_us === cold).length, 0)
  const owners = runs.reduce((sum, quiet) => sum + quiet.owners, 0)
  const kinds = Object.groupBy(
    runs.flatMap(({ findings }) => findings),
    ({ kind }) => kind,
  )
  return {
    source,
    owner_weeks: (owners * (DAYS - COLD_DAYS)) / 7,
    false_alerts_per_owner_week: round(count(false) / ((owners * (DAYS - COLD_DAYS)) / 7), 3),
    first_week_per_owner_week: round(count(true) / ((owners * COLD_DAYS) / 7), 3),
    kinds: Object.entries(kinds)
      .map(([kind, list]) => `${kind} ${list?.length}`)
      .join(', '),
  }
}

const byTeam = (source: Source) =>
  Object.entries(
    Object.groupBy(
      trials.filter((trial) => trial.source === source),
      ({ team }) => team,
    ),
  ).map(([team, all = []]) => ({
    source,
    team,
    trials: all.length,
    recall: round(all.filter(({ found }) => found).length / all.length),
    injected_usd: round(all.reduce((sum, trial) => sum + trial.injected_usd, 0)),
    lost_usd: round(all.reduce((sum, trial) => sum + trial.lost_usd, 0)),
  }))

const table = sources.flatMap((source) => injections.map(({ name }) => summary(source, name)))
const quiet = sources.map(alarms)
const teams = sources.flatMap(byTeam)
console.table(table)
console.table(quiet)
console.table(teams)
if (process.argv[3] === 'detail') {
  for (const trial of trials.filter((one) => !one.found)) console.log('missed', JSON.stringify(trial))
  for (const { source, seed, findings } of quiets)
    for (const { at_us, key, message } of findings)
      console.log(source, seed, ((at_us - START_US) / DAY_US).toFixed(2), key, message)
}
if (!tuning) {
  mkdirSync(new URL('../results/', import.meta.url), { recursive: true })
  const file = new URL('../results/anomalies.json', import.meta.url)
  const seeded = { tuned_on: TUNED_ON.join(', '), reported_on: REPORTED_ON.join(', ') }
  writeFileSync(file, `${JSON.stringify({ seeds: seeded, injections: table, quiet, teams }, null, 2)}\n`)
}
