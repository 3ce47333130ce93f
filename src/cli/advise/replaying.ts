/** A replay as it is told to any thread: plain data, of which each makes its own book, ratios and levers. */
import type { LoadedBook } from '../../catalogs/load.ts'
import type { Filter } from '../../core/dimension.ts'
import type { TimeWindow, TokenRatio } from '../../core/ledger.ts'
import type { Chosen, Lever } from '../../core/lever.ts'
import { converts } from '../../gateway/levers/kit.ts'
import { digest } from '../../gateway/prompt.ts'
import { type Grouping, type Replaying, replayHere } from '../../playbook/advise/advise.ts'
import { rateSheet } from '../../playbook/advise/rates.ts'
import type { Swap } from '../../playbook/advise/swap.ts'
import { cacheRule } from '../../playbook/cache/rules.ts'
import { levers } from '../../playbook/levers.ts'
import { ratios } from '../../playbook/measure/ratios.ts'
import { compileBook } from '../../playbook/price/book.ts'

export type ReplaySetup = Readonly<{
  window: TimeWindow
  filters: readonly Filter[]
  by: Grouping
  /** The levers of the catalogue to replay; all of them where absent. */
  only?: readonly string[]
  settings?: Readonly<Record<string, Chosen>>
  /** A book that was made once: it is not checked again. */
  prices: LoadedBook
  ratios: readonly TokenRatio[]
  swap?: Swap
  seed: number
  expected: number
}>

const catalogue = Object.values(levers as unknown as Readonly<Record<string, Lever>>)

/** `kept` makes of a call's keys a text that keeps no page. */
export const replayingOf = (setup: ReplaySetup, kept?: (text: string) => string): Replaying => {
  const { only, prices, ratios: learnt, seed, ...others } = setup
  const chosen = catalogue.filter(({ name }) => only === undefined || only.includes(name))
  const options = {
    ...others,
    levers: Object.fromEntries(chosen.map((lever) => [lever.name, lever])),
    sheet: rateSheet(compileBook({ ...prices, checked: true })),
    ratios: ratios(learnt),
    kit: { hash: digest, cache_rule: cacheRule, converts, seed },
  }
  return replayHere(options, kept)
}
