import type { VirtualTag } from '../../core/allocation.ts'
import type { Filter } from '../../core/dimension.ts'
import type { Ledger, TimeWindow } from '../../core/ledger.ts'
import type { Lever } from '../../core/lever.ts'
import type { Past } from '../../core/past.ts'
import type { Ratios } from '../measure/ratios.ts'
import { inOrder } from '../order.ts'
import { type Advice, adviceOf } from './advice.ts'
import { scopeOf } from './configuration.ts'
import { type Candidate, defaultsOf, type FoldKit } from './fold.ts'
import { type Packed, packer } from './pack.ts'
import type { RateSheet } from './rates.ts'
import { tripReader } from './read.ts'
import { MOST_WHOLE, replayer } from './replay.ts'
import { surveyor } from './survey.ts'
import { type Swap, swapCandidate } from './swap.ts'
import { othersTurn } from './turn.ts'

/** What calls can be told apart by. A route is what asks alike: a feature and a template. */
export const groupings = [
  'route',
  'team',
  'feature',
  'customer',
  'environment',
  'agent',
  'provider',
  'model',
  'key',
] as const
export type Grouping = (typeof groupings)[number]

const TEMPLATE_SHOWN = 8

const named = (value: string | undefined): string => value ?? '(none)'

const routeOf = ({ circle, fingerprints, model }: Past): string => {
  const template =
    fingerprints.template === undefined ? model : `template ${fingerprints.template.slice(0, TEMPLATE_SHOWN)}`
  return `${circle.feature ?? circle.agent ?? circle.team ?? circle.endpoint} · ${template}`
}

const groupOf: Readonly<Record<Grouping, (past: Past) => string>> = {
  route: routeOf,
  team: ({ circle }) => named(circle.team),
  feature: ({ circle }) => named(circle.feature),
  customer: ({ circle }) => named(circle.customer),
  environment: ({ circle }) => named(circle.environment),
  agent: ({ circle }) => named(circle.agent),
  provider: ({ provider }) => provider,
  model: ({ model }) => model,
  key: ({ circle }) => named(circle.key_id),
}

/** What is asked of the ledger. */
export type Asked = Readonly<{
  ledger: Pick<Ledger, 'query'>
  window: TimeWindow
  filters: readonly Filter[]
  tags?: readonly VirtualTag[]
  /** Receipts of a page. */
  page?: number
  progress?: (receipts: number) => void
}>

/** What a replay is told. */
export type ReplayingOptions = Readonly<{
  window: TimeWindow
  filters: readonly Filter[]
  by: Grouping
  levers: Readonly<Record<string, Lever>>
  /** Settings that stand in for a lever's defaults, by its name. */
  settings?: Readonly<Record<string, Candidate['settings']>>
  sheet: RateSheet
  ratios: Ratios
  kit: FoldKit
  swap?: Swap
  /** About how many calls there are: chooses the sample. */
  expected: number
}>

/** A replay under way, in this thread or in another one. Pieces of pages come in their order, one after the other. */
export type Replaying = Readonly<{
  take(piece: Packed): Promise<void>
  result(): Promise<Advice>
}>

const PAGE = 10_000

/** After so many calls whoever else waits for this thread has its turn. */
const AT_ONCE = 250

/** Pages of history; the next one is asked for while the last is replayed. */
async function* history({ ledger, window, filters, tags, page = PAGE }: Asked) {
  const ask = (after: Readonly<{ from_us?: number; look_us?: number }>) =>
    ledger.query({ ask: 'history', window, filters, limit: page, ...(tags === undefined ? {} : { tags }), ...after })
  let from_us = window.from_us
  let coming = ask({})
  for (;;) {
    const got = await coming
    const { next_us } = got
    if (next_us !== null) coming = ask({ from_us: next_us, look_us: next_us - from_us })
    yield got
    if (next_us === null) return
    from_us = next_us
  }
}

/** The levers to replay: what is asked about first, then all there are in their order. */
const candidatesOf = ({ levers, settings, swap, sheet, ratios }: ReplayingOptions): readonly Candidate[] => [
  ...(swap === undefined ? [] : [swapCandidate(swap, sheet, ratios)]),
  ...inOrder(levers).map((lever) => ({ lever, settings: settings?.[lever.name] ?? defaultsOf(lever) })),
]

/** Replays in this thread, on which others have their turn. `kept`: see `tripReader`. */
export const replayHere = (options: ReplayingOptions, kept?: (text: string) => string): Replaying => {
  const { kit, window, expected, by, sheet, filters } = options
  const replay = replayer({ candidates: candidatesOf(options), kit, window, expected, group_of: groupOf[by] })
  const survey = surveyor(sheet, kit.cache_rule, expected <= MOST_WHOLE)
  const open = tripReader(sheet, kept)
  return {
    async take(piece) {
      const tripOf = open(piece)
      for (let call = 0; call < piece.calls; call++) {
        const trip = tripOf(call)
        replay.take(trip)
        survey.see(trip)
        if (call % AT_ONCE === AT_ONCE - 1) await othersTurn()
      }
    },
    result: async () =>
      adviceOf({ replayed: replay.result(), survey: survey.result(), kit, by, scope: scopeOf(filters) }),
  }
}

/**
 * Has the receipts of a window replayed: while one piece of a page is, the next is packed, and the next page read. Throws what the ledger throws, and
 * the replay.
 */
export const adviceFrom = async (asked: Asked, replaying: Replaying): Promise<Advice> => {
  const pages = packer()
  let receipts = 0
  let taken = Promise.resolve()
  for await (const page of history(asked)) {
    for await (const piece of pages.pack(page)) {
      await taken
      taken = replaying.take(piece)
      // It is waited for above and below; until then nobody else is told that it failed.
      taken.catch(() => {})
      receipts += piece.receipts
    }
    asked.progress?.(receipts)
  }
  await taken
  return replaying.result()
}

/**
 * Replays the receipts of a window through every lever and says what each would have saved. Every choice that a lever makes
 * rests on what came before the call, so nothing is known in hindsight. Throws what the ledger throws.
 */
export const advise = (options: Asked & ReplayingOptions): Promise<Advice> => adviceFrom(options, replayHere(options))
