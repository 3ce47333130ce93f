import type { Receipt } from '../core/receipt.ts'
import { metricsHelp } from './metrics-help.ts'

/** Upper bounds of the latency buckets, seconds. */
const BOUNDS_S = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]
/** Label sets beyond this are counted under `other`: a scrape stays small whatever clients send. */
const MOST_SERIES = 500

export type Histogram = { buckets: number[]; sum: number; count: number }
/** Counters by series: `name{labels}`. Plain data, so that threads can send theirs. */
export type Counts = { counters: Record<string, number>; histograms: Record<string, Histogram> }

export const NO_COUNTS: Counts = { counters: {}, histograms: {} }

export type Metrics = Readonly<{
  /** A receipt is owed from now on: an attempt was opened, or a call refused. */
  due(): void
  /** The receipt is in the journal. */
  wrote(receipt: Receipt): void
  /** The journal refused it. */
  unwritable(): void
  counts(): Counts
}>

const escaped = (value: string): string => value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))

const seriesName = (name: string, labels: Readonly<Record<string, string>>): string =>
  `${name}{${Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`)}}`

/** The series of one wire at one provider: found once, then counted in place. */
type Series = Readonly<{
  attempts: (outcome: string) => (status: number | undefined) => string
  input: string
  output: string
  cost: string
  not_priced: (state: string) => string
  duration: Histogram
  first_token: Histogram
}>

/** Makes what belongs to each value once. */
const remembered = <Value, Made>(make: (value: Value) => Made): ((value: Value) => Made) => {
  const known = new Map<Value, Made>()
  return (value) => {
    const found = known.get(value) ?? make(value)
    known.set(value, found)
    return found
  }
}

const histogramIn = (counts: Counts, name: string): Histogram => {
  counts.histograms[name] ??= { buckets: BOUNDS_S.map(() => 0), sum: 0, count: 0 }
  return counts.histograms[name]
}

const openSeries = (counts: Counts, wire: string, provider: string): Series => {
  const by = { wire, provider }
  return {
    attempts: remembered((outcome) =>
      remembered((status) =>
        seriesName('weir_attempts_total', { ...by, outcome, status: status === undefined ? 'none' : String(status) }),
      ),
    ),
    input: seriesName('weir_input_tokens_total', by),
    output: seriesName('weir_output_tokens_total', by),
    cost: seriesName('weir_cost_usd_total', by),
    not_priced: remembered((price_state) => seriesName('weir_not_priced_total', { provider, price_state })),
    duration: histogramIn(counts, seriesName('weir_duration_seconds', by)),
    first_token: histogramIn(counts, seriesName('weir_first_token_seconds', by)),
  }
}

const observe = (histogram: Histogram, from_us: number, to_us: number): void => {
  const seconds = (to_us - from_us) / 1e6
  histogram.sum += seconds
  histogram.count += 1
  let index = 0
  while (index < BOUNDS_S.length && seconds > (BOUNDS_S[index] ?? 0)) index += 1
  if (index < BOUNDS_S.length) histogram.buckets[index] = (histogram.buckets[index] ?? 0) + 1
}

/** Counts of one gateway thread. Labels are configured or from closed sets: wire, provider, outcome, HTTP status, price state. */
export const createMetrics = (): Metrics => {
  const counts: Counts = {
    counters: { weir_receipts_due_total: 0, weir_receipts_total: 0, weir_journal_failures_total: 0 },
    histograms: {},
  }
  /** By wire, then by provider. */
  const groups = new Map<string, Map<string, Series>>()
  let open = 0
  let others: Series | undefined
  const openFor = (wire: string, provider: string): Series => {
    if (open >= MOST_SERIES) {
      others ??= openSeries(counts, 'other', 'other')
      return others
    }
    open += 1
    const series = openSeries(counts, wire, provider)
    const group = groups.get(wire) ?? new Map<string, Series>()
    groups.set(wire, group.set(provider, series))
    return series
  }
  const seriesOf = (wire: string, provider: string): Series =>
    groups.get(wire)?.get(provider) ?? openFor(wire, provider)
  const add = (series: string, amount: number | undefined): void => {
    if (amount !== undefined) counts.counters[series] = (counts.counters[series] ?? 0) + amount
  }
  return {
    due: () => add('weir_receipts_due_total', 1),
    unwritable: () => add('weir_journal_failures_total', 1),
    wrote(receipt) {
      const { outcome, http_status, price_state, cost_usd, started_at_us, first_token_at_us } = receipt
      const series = seriesOf(receipt.wire ?? 'none', receipt.provider)
      add('weir_receipts_total', 1)
      add(series.attempts(outcome)(http_status), 1)
      add(series.input, receipt.input_tokens)
      add(series.output, receipt.output_tokens)
      if (cost_usd !== undefined) add(series.cost, Number(cost_usd))
      if (price_state === 'unpriced' || price_state === 'unmetered') add(series.not_priced(price_state), 1)
      if (receipt.attempt > 0) observe(series.duration, started_at_us, receipt.ended_at_us)
      if (first_token_at_us !== undefined) observe(series.first_token, started_at_us, first_token_at_us)
    },
    counts: () => counts,
  }
}

/** Adds up the counts of several threads. */
export const mergeCounts = (all: readonly Counts[]): Counts => {
  const merged: Counts = { counters: {}, histograms: {} }
  for (const { counters, histograms } of all) {
    for (const [series, value] of Object.entries(counters))
      merged.counters[series] = (merged.counters[series] ?? 0) + value
    for (const [series, { buckets, sum, count }] of Object.entries(histograms)) {
      merged.histograms[series] ??= { buckets: BOUNDS_S.map(() => 0), sum: 0, count: 0 }
      const into = merged.histograms[series]
      into.buckets = into.buckets.map((value, index) => value + (buckets[index] ?? 0))
      into.sum += sum
      into.count += count
    }
  }
  return merged
}

/** Values of this moment, by series. */
export type Gauges = Readonly<Record<string, number>>

const familyOf = (series: string): string => series.split('{', 1)[0] ?? series
const withLabel = (series: string, suffix: string, label: string): string => {
  const [name, labels = ''] = series.split(/\{(.*)\}$/s)
  return `${name}${suffix}{${labels}${labels && label ? ',' : ''}${label}}`
}

const histogramLines = (series: string, { buckets, sum, count }: Histogram): string[] => {
  let below = 0
  const lines = BOUNDS_S.map((bound, index) => {
    below += buckets[index] ?? 0
    return `${withLabel(series, '_bucket', `le="${bound}"`)} ${below}`
  })
  lines.push(`${withLabel(series, '_bucket', 'le="+Inf"')} ${count}`)
  return [...lines, `${withLabel(series, '_sum', '')} ${sum}`, `${withLabel(series, '_count', '')} ${count}`]
}

const section = (kind: string, lines: Readonly<Record<string, readonly string[]>>): string[] => {
  const families = Map.groupBy(Object.keys(lines), familyOf)
  return [...families].flatMap(([family, series]) => [
    ...(metricsHelp[family] === undefined ? [] : [`# HELP ${family} ${metricsHelp[family]}`]),
    `# TYPE ${family} ${kind}`,
    ...series.flatMap((name) => lines[name] ?? []),
  ])
}

const valueLines = (values: Readonly<Record<string, number>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(values).map(([series, value]) => [series, [`${series} ${value}`]]))

/** Prometheus text format 0.0.4. */
export const prometheus = (counts: Counts, gauges: Gauges): string => {
  const histograms = Object.fromEntries(
    Object.entries(counts.histograms).map(([series, histogram]) => [series, histogramLines(series, histogram)]),
  )
  const lines = [
    ...section('counter', valueLines(counts.counters)),
    ...section('histogram', histograms),
    ...section('gauge', valueLines(gauges)),
  ]
  return `${lines.join('\n')}\n`
}

/** The gauges of all threads together. */
export const totalGauges = (all: readonly Readonly<Record<string, number>>[]): Record<string, number> => {
  const total: Record<string, number> = {}
  for (const gauges of all)
    for (const [series, value] of Object.entries(gauges)) total[series] = (total[series] ?? 0) + value
  return total
}
