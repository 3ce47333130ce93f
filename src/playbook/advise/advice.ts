/** What is told of a replay: findings, largest saving first, and what is not known. Money is decimal US dollars as text. */
import type { Certainty, Lever, Risk } from '../../core/lever.ts'
import { formatUsd, picodollars, type Usd } from '../../core/money.ts'
import type { Alone } from './alone.ts'
import { configurationOf, type Scope } from './configuration.ts'
import type { Candidate, FoldKit } from './fold.ts'
import { notesOn } from './notes.ts'
import { aloneSavings, type Line, partSaving, type Replayed, rangeChance } from './replay.ts'
import { type GroupRow, rowsOf, shareOf, usd } from './rows.ts'
import type { Survey } from './survey.ts'
import { type Range, ranges } from './tally.ts'

export type Amounts = Readonly<{ low_usd: Usd; mid_usd: Usd; high_usd: Usd }>

export type Finding = Readonly<{
  lever: string
  about: string
  /** What it saves of what the levers before it leave. */
  saving: Amounts
  /** The middle saving's share of the cost, 0 to 1. */
  share: number
  /** What it would save if it were the only lever; these are never added. */
  alone_usd: Usd
  /** Standard error of that; zero where every call was replayed. */
  alone_error_usd: Usd
  /** Its part of what all levers save together; these add up to it. Null where it was not parted. */
  shapley: Readonly<{ usd: Usd; error_usd: Usd; calls: number; exact: boolean }> | null
  certainty: Certainty
  why: string
  /** Calls that it would have changed. */
  calls: number
  /** Calls on which it was at work or observed; null where nothing depends on that. */
  seen_calls: number | null
  risk: Risk
  effort: Lever['traits']['effort']
  /** Its share of the cost in the earlier and the later half of the window. */
  halves: readonly [number, number]
  /** What the receipts say that it has saved already. */
  realised: Readonly<{ usd: Usd; calls: number }> | null
  configuration: string
  next_test: string
  /** Nothing is known of it: it depends on what prompts say, and on none of these calls was it observed. */
  is_unknown: boolean
  /** Why it could not be replayed to the end. */
  failure: string | null
}>

export type Advice = Readonly<{
  calls: number
  cost_usd: Usd
  sessions: number
  /** What all levers save, one after the other. */
  together: Amounts & Readonly<{ share: number }>
  findings: readonly Finding[]
  /** The lines of weir.yaml that turn all levers on that pay or were at work, in the order of the playbook; empty where none did. */
  configuration: string
  by: Readonly<{ name: string; rows: readonly GroupRow[] }>
  /** Cost as it was and as it would have been, in equal slices of the window, dollars. */
  curve: Readonly<{ cost_usd: readonly number[]; after_usd: readonly number[] }>
  /** Where the money is, dollars. */
  spent_usd: Readonly<Record<string, number>>
  notes: readonly string[]
  /** What was asked about, and is replayed before all levers. */
  what_if: string | null
}>

const dollars = (amount: number): number => amount / 1e12

/** Sampling and, for an estimate, the lever's own doubt, in dollars. Nothing saves more than all. */
const amountsOf = (
  mid: bigint,
  cost: number,
  range: Range,
  spread: Readonly<{ low: number; high: number }>,
): Amounts => {
  const ends = [
    range.low * cost * spread.low,
    range.low * cost * spread.high,
    range.high * cost * spread.low,
    range.high * cost * spread.high,
  ]
  const middle = Number(mid)
  return {
    low_usd: usd(Math.min(middle, ...ends)),
    mid_usd: formatUsd(picodollars(mid)),
    high_usd: usd(Math.max(middle, Math.min(cost, Math.max(...ends)))),
  }
}

const sure = { low: 1, high: 1 } as const

/** The doubt of all levers together: each one's own, by its part of what they save in their order. */
const doubtOf = (lines: readonly Line[], together: number): Readonly<{ low: number; high: number }> => {
  if (together === 0) return sure
  const doubt = { low: 0, high: 0 }
  for (const { candidate, marginal } of lines) {
    const { low, high } = candidate.lever.traits.spread ?? sure
    const part = Number(marginal.sum.total) / together
    doubt.low += part * low
    doubt.high += part * high
  }
  return doubt
}

const none: Alone = { saved: 0, error: 0 }

const whyOf = ({ candidate: { lever }, marginal }: Line): string => {
  const { certainty, spread, needs_observing } = lever.traits
  if (certainty === 'exact')
    return needs_observing
      ? 'measured: what it would have taken out of the calls that it observed'
      : 'measured: replayed from the hashes, counts and times of the receipts, with no assumption'
  const doubt = spread ? `: ${spread.why}` : ''
  return `estimated${doubt}${marginal.calls === 0 ? '; no receipt shows what it would do' : ''}`
}

/** What is asked about is replayed like a lever, but nothing turns it on. */
const isLever = ({ lever: { name } }: Candidate): boolean => !name.startsWith('what-if/')

/** That nothing is known of a lever is no finding against it. */
export const unknownText = (levers: readonly string[]): string =>
  `What these would save depends on what prompts say, which receipts do not hold. Set them to observe for a day, and ask again: ${levers.join(', ')}.`

/** A smaller share of the cost is not worth a switch. */
const LEAST_SHARE = 0.001

/** Did the receipts show, to their end, that it saves? */
export const pays = ({ share, failure }: Finding): boolean => failure === null && share >= LEAST_SHARE

/**
 * The findings as they are told: those that pay, those that have nothing to add because they were at work, those that show nothing or
 * next to nothing, and the names of those of which nothing is known.
 */
export const parted = (findings: readonly Finding[]) => {
  const others = findings.filter((finding) => !pays(finding))
  const rest = others.filter(({ realised }) => realised === null)
  return {
    worth: findings.filter(pays),
    at_work: others.filter(({ realised }) => realised !== null),
    idle: rest.filter(({ is_unknown }) => !is_unknown),
    unknown: rest.filter(({ is_unknown }) => is_unknown).map(({ lever }) => lever),
  }
}

const HOLDOUT = 'turn it on with `holdout: 0.05` in its policy, and compare the arms: weir report --by arm'

/** To observe is the cheapest test of a lever, and then what it says itself, or a holdout. */
const nextTestOf = ({ candidate, seen_calls }: Line): string => {
  const { next_test = HOLDOUT } = candidate.lever.traits
  return seen_calls > 0 || !isLever(candidate) ? next_test : `observe it for a day, then ${next_test}`
}

type Context = Readonly<{ replayed: Replayed; kit: FoldKit; scope: Scope }>

const findingOf = (
  line: Line,
  range: Range,
  { alone, parted }: Readonly<{ alone: Alone; parted: ReturnType<typeof partSaving> }>,
  { replayed, scope }: Context,
): Finding => {
  const { lever } = line.candidate
  const { traits } = lever
  const cost = Number(replayed.cost.sum.total)
  const all = Number(replayed.together.sum.total)
  const { halves } = replayed.cost
  const mine = parted.get(lever.name)
  return {
    lever: lever.name,
    about: lever.about,
    saving: amountsOf(line.marginal.sum.total, cost, range, traits.spread ?? sure),
    share: shareOf(Number(line.marginal.sum.total), cost),
    alone_usd: line.alone ? formatUsd(line.alone.sum.total) : usd(alone.saved),
    alone_error_usd: usd(alone.error),
    shapley: mine
      ? { usd: usd(mine.share * all), error_usd: usd(Math.abs(mine.error * all)), calls: mine.calls, exact: mine.whole }
      : null,
    certainty: traits.certainty,
    why: whyOf(line),
    calls: line.marginal.calls,
    seen_calls: traits.needs_observing ? line.seen_calls : null,
    risk: traits.risk,
    effort: traits.effort,
    halves: [
      shareOf(line.marginal.halves[0] ?? 0, halves[0] ?? 0),
      shareOf(line.marginal.halves[1] ?? 0, halves[1] ?? 0),
    ],
    realised: line.realised_calls > 0 ? { usd: formatUsd(line.realised.total), calls: line.realised_calls } : null,
    configuration: configurationOf([line.candidate].filter(isLever), scope),
    next_test: nextTestOf(line),
    is_unknown: traits.needs_observing === true && line.seen_calls === 0,
    failure: line.folds.map((fold) => fold.failure()).find((failure) => failure !== undefined) ?? null,
  }
}

export type Told = Readonly<{
  replayed: Replayed
  survey: Survey
  kit: FoldKit
  by: string
  scope: Scope
}>

/** Turns a replay into advice. */
export const adviceOf = ({ replayed, survey, kit, by, scope }: Told): Advice => {
  const { lines, cost, together, calls, slices } = replayed
  const spent = Number(cost.sum.total)
  const alone = aloneSavings(replayed, kit)
  const parted = partSaving(replayed, alone, kit)
  const [all = { low: 0, high: 0 }, ...each] = ranges(
    cost,
    [together, ...lines.map(({ marginal }) => marginal)],
    rangeChance(kit),
  )
  const findings = lines
    .map((line, at) => findingOf(line, each[at] ?? all, { alone: alone[at] ?? none, parted }, { replayed, kit, scope }))
    .toSorted((one, two) => Number(two.saving.mid_usd) - Number(one.saving.mid_usd))
  const wanted = new Set(findings.filter((one) => pays(one) || one.realised !== null).map(({ lever }) => lever))
  const turned_on = lines.map(({ candidate }) => candidate).filter((one) => isLever(one) && wanted.has(one.lever.name))
  return {
    calls,
    cost_usd: formatUsd(cost.sum.total),
    sessions: survey.sessions,
    together: {
      ...amountsOf(together.sum.total, spent, all, doubtOf(lines, Number(together.sum.total))),
      share: shareOf(Number(together.sum.total), spent),
    },
    findings,
    configuration: configurationOf(turned_on, scope),
    by: { name: by, rows: rowsOf(replayed) },
    curve: { cost_usd: Array.from(slices.cost, dollars), after_usd: Array.from(slices.after, dollars) },
    spent_usd: Object.fromEntries(Object.entries(survey.spent).map(([name, amount]) => [name, dollars(amount)])),
    notes: notesOn(replayed, survey),
    what_if:
      lines
        .map(({ candidate }) => candidate.lever.name)
        .find((name) => name.startsWith('what-if/'))
        ?.slice(8) ?? null,
  }
}
