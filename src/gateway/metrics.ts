import type { Receipt } from '../core/receipt.ts'

/** Upper bounds of the latency buckets, seconds. */
const BOUNDS_S = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]
/** Label sets beyond this are counted under `other`: a scrape stays small whatever clients send. */
const MOST_SERIES = 500

export type Histogram = { buckets: number[]; sum: number; count: number }
/** Counters by series: `name{labels}`. Plain data, so that threads can send theirs. */
export type Counts = { counters: Record<string, number>; histograms: Record<string, Histogram> }

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

/** A series' name with its labels, remembered: the same few come all the time. */
const seriesNames = () => {
  const known = new Map<string, string>()
  return (name: string, labels: Readonly<Record<string, string>>): string => {
    const values = Object.values(labels)
    const key = `${name}\n${values.join('\n')}`
    const found = known.get(key)
    if (found !== undefined) return found
    const full = known.size >= MOST_SERIES
    const pairs = Object.entries(labels).map(([label, value]) => `${label}="${full ? 'other' : escaped(value)}"`)
    const series = `${name}{${pairs.join(',')}}`
    if (!full) known.set(key, series)
    return series
  }
}

/** Counts of one gateway thread. Labels are configured or from closed sets: wire, provider, outcome, price state. */
export const createMetrics = (): Metrics => {
  const counts: Counts = {
    counters: { weir_receipts_due_total: 0, weir_receipts_total: 0, weir_journal_failures_total: 0 },
    histograms: {},
  }
  const nameOf = seriesNames()
  const add = (series: string, amount: number): void => {
    counts.counters[series] = (counts.counters[series] ?? 0) + amount
  }
  const observe = (series: string, seconds: number): void => {
    counts.histograms[series] ??= { buckets: BOUNDS_S.map(() => 0), sum: 0, count: 0 }
    const histogram = counts.histograms[series]
    histogram.sum += seconds
    histogram.count += 1
    const index = BOUNDS_S.findIndex((bound) => seconds <= bound)
    if (index >= 0) histogram.buckets[index] = (histogram.buckets[index] ?? 0) + 1
  }
  return {
    due: () => add('weir_receipts_due_total', 1),
    unwritable: () => add('weir_journal_failures_total', 1),
    wrote(receipt) {
      add('weir_receipts_total', 1)
      const wire = receipt.wire ?? 'none'
      const { provider, outcome, price_state } = receipt
      add(nameOf('weir_attempts_total', { wire, provider, outcome }), 1)
      const by = { wire, provider }
      if (receipt.attempt > 0)
        observe(nameOf('weir_duration_seconds', by), (receipt.ended_at_us - receipt.started_at_us) / 1e6)
      if (receipt.first_token_at_us !== undefined)
        observe(nameOf('weir_first_token_seconds', by), (receipt.first_token_at_us - receipt.started_at_us) / 1e6)
      if (receipt.input_tokens !== undefined) add(nameOf('weir_input_tokens_total', by), receipt.input_tokens)
      if (receipt.output_tokens !== undefined) add(nameOf('weir_output_tokens_total', by), receipt.output_tokens)
      if (receipt.cost_usd !== undefined) add(nameOf('weir_cost_usd_total', by), Number(receipt.cost_usd))
      if (price_state === 'unpriced' || price_state === 'unmetered')
        add(nameOf('weir_not_priced_total', { provider, price_state }), 1)
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
