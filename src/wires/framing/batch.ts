/** Files with the results of a batch: lines of JSON, whose bills are gathered so that a batch of any size is one receipt. */
import type { Unit, UnitCount, UsageLine } from '../../core/usage.ts'
import type { Reading } from '../../core/wire.ts'
import type { Tokens } from './counts.ts'
import { decode } from './json.ts'
import { splitBehind } from './splitting.ts'
import { LARGEST_FRAME_BYTES, type Splitter } from './sse.ts'

const LINE_FEED = 10

const textOf = (bytes: Uint8Array): string | undefined => decode(bytes).trim() || undefined

/** Cuts lines, with their line feed. A frame is a line's text; an empty line is none. */
export const splitLines = (limit_bytes = LARGEST_FRAME_BYTES): Splitter<string> =>
  splitBehind({
    limit_bytes,
    endIn: (chunk, from) => chunk.indexOf(LINE_FEED, from),
    frameOf: textOf,
    lastOf: textOf,
  })

/** What is read of a request for a batch's results: nothing that it says of them. */
export const readResults = (endpoint: string): Reading => ({
  endpoint,
  billable: true,
  batch: true,
  stream: false,
  parts: [],
  body_tags: {},
  edits: [],
  hide_usage: false,
})

/** The long-context thresholds of all providers' prices, in tokens (a test holds them against the price book). */
const LONG_CONTEXTS = [100_000, 128_000, 200_000, 272_000]

/** Items in the same band are billed alike. One of exactly a threshold is apart, as prices differ on whose side that is. */
const bandOf = (context_tokens: number): number => {
  let band = 0
  for (const tokens of LONG_CONTEXTS) band += context_tokens > tokens ? 2 : context_tokens === tokens ? 1 : 0
  return band
}

/** What the price of a unit depends on beside its kind. */
const attrsOf = ({ units }: UsageLine) => Object.entries(units).map(([unit, { attrs }]) => [unit, attrs])

const keyOf = (line: UsageLine) =>
  JSON.stringify([line.kind, line.model_served, line.geo, line.speed, bandOf(line.context_tokens), attrsOf(line)])

type Group = { line: UsageLine; tokens: Tokens; units: Partial<Record<Unit, UnitCount>>; context_tokens: number }

const addLine = (group: Group, { tokens, units, context_tokens }: UsageLine): void => {
  for (const [bucket, count] of Object.entries(tokens) as [keyof Tokens, number][])
    group.tokens[bucket] = (group.tokens[bucket] ?? 0) + count
  for (const [unit, { n, ...attrs }] of Object.entries(units) as [Unit, UnitCount][])
    group.units[unit] = { ...attrs, n: (group.units[unit]?.n ?? 0) + n }
  group.context_tokens = Math.max(group.context_tokens, context_tokens)
}

const OWN_KINDS = new Set<UsageLine['kind']>(['declined', 'tool'])

/** Said where an item succeeded and its answer has no usage. */
export const UNCOUNTED = 'items that succeeded state no usage: the bill lacks them'

/** Gathers the lines of a batch's items: those of one model, billed alike, become one. */
export const gatherItems = () => {
  const groups = new Map<string, Group>()
  return {
    add(line: UsageLine): void {
      const key = keyOf(line)
      const group = groups.get(key) ?? { line, tokens: {}, units: {}, context_tokens: 0 }
      groups.set(key, group)
      addLine(group, line)
    },
    lines: (): UsageLine[] =>
      [...groups.values()].map(({ line, ...sums }) => ({
        ...line,
        ...sums,
        kind: OWN_KINDS.has(line.kind) ? line.kind : 'batch_item',
        service_tier: 'batch',
      })),
  }
}
