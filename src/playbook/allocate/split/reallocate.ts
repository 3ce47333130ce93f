import { WeirError } from '../../../core/errors.ts'
import { type Picodollars, picodollars, ZERO } from '../../../core/money.ts'
import { byName, percentWeights, splitByWeight, usageWeights, type Weight } from './split.ts'

/** How the cost of a shared owner is borne. `metric` names a usage metric given beside the costs. */
export type SplitMethod =
  | Readonly<{ by: 'even' }>
  | Readonly<{ by: 'percent'; percent: Readonly<Record<string, string>> }>
  | Readonly<{ by: 'spend' }>
  | Readonly<{ by: 'usage'; metric: string }>

/** The whole cost of `from` is borne by `to`; without `to` by every other owner that has direct cost and shares none. */
export type SplitRule = Readonly<{ from: string; to?: readonly string[] }> & SplitMethod

export type OwnerShare = Readonly<{
  owner: string
  /** What the owner spent itself; it includes what a shared owner then hands on. */
  direct: Picodollars
  /** What it bears for others, by shared owner; what it hands on is negative under its own name. */
  shared: Readonly<Record<string, Picodollars>>
  total: Picodollars
}>

export type Costs = ReadonlyMap<string, Picodollars>
/** Usage by metric, then by owner, as decimal text. */
export type Metrics = Readonly<Record<string, Readonly<Record<string, string>>>>

const bad = (at: number, field: string, message: string): WeirError =>
  new WeirError('bad-input', `splits[${at}].${field}: ${message}`)

/** Does a thing with each; what it complains of (WeirError) is told of all at once, each by its message. */
export const withEach = <T, R>(
  ...parts: readonly (readonly [list: readonly T[], act: (one: T, at: number) => R])[]
): readonly R[] => {
  const wrong: string[] = []
  const done = parts.flatMap(([list, act]) =>
    list.flatMap((one, at): R[] => {
      try {
        return [act(one, at)]
      } catch (error) {
        if (!(error instanceof WeirError)) throw error
        wrong.push(error.message)
        return []
      }
    }),
  )
  if (wrong.length > 0) throw new WeirError('bad-input', wrong.join('; '))
  return done
}

const checkPercent = (percent: Readonly<Record<string, string>>, at: number): void => {
  try {
    percentWeights(percent)
  } catch (error) {
    throw error instanceof WeirError
      ? new WeirError('bad-input', error.message.replace(/^split\b/, `splits[${at}]`))
      : error
  }
}

const checkBearers = (rule: SplitRule, at: number, sources: ReadonlySet<string>): void => {
  const percent = rule.by === 'percent'
  const named = percent ? Object.keys(rule.percent) : (rule.to ?? [])
  const shared = named.find((owner) => sources.has(owner))
  if (shared !== undefined)
    throw bad(at, percent ? 'percent' : 'to', `${JSON.stringify(shared)} is itself split: name who bears it in the end`)
  if (percent) checkPercent(rule.percent, at)
  if (percent && rule.to) throw bad(at, 'to', 'the percentages name the owners already: leave it out')
  if (rule.to?.length === 0) throw bad(at, 'to', 'nobody is named to bear the cost: name an owner or leave it out')
  if (new Set(named).size !== named.length) throw bad(at, 'to', 'an owner is named twice')
}

/** Throws WeirError `bad-input` naming every wrong rule and its field. A shared owner bears nobody's cost: splits do not chain. */
export const checkSplitRules = (rules: readonly SplitRule[]): void => {
  const sources = new Set<string>()
  const checkSource = ({ from }: SplitRule, at: number): void => {
    if (sources.has(from)) throw bad(at, 'from', `the cost of ${JSON.stringify(from)} is split twice`)
    sources.add(from)
  }
  withEach([rules, checkSource], [rules, (rule, at) => checkBearers(rule, at, sources)])
}

const positive = (amount: bigint): bigint => (amount > 0n ? amount : 0n)

const weightsOf = (rule: SplitRule, at: number, everybody: readonly string[], costs: Costs, metrics: Metrics) => {
  const owners = 'to' in rule && rule.to ? rule.to : everybody
  const weights: Record<SplitRule['by'], () => readonly Weight[]> = {
    even: () => owners.map((owner) => ({ owner, weight: 1n })),
    percent: () => (rule.by === 'percent' ? percentWeights(rule.percent) : []),
    spend: () => owners.map((owner) => ({ owner, weight: positive(costs.get(owner) ?? 0n) })),
    usage: () => {
      const usage = rule.by === 'usage' ? metrics[rule.metric] : {}
      if (usage === undefined) throw bad(at, 'metric', 'no usage of that name is given')
      return usageWeights(owners, usage)
    },
  }
  return weights[rule.by]()
}

/**
 * Hands the cost of shared owners on to those who bear it. The totals sum to the costs given, to the picodollar, and
 * depend neither on the order of the rules nor of the owners. A cost that nobody can bear stays where it is. For a split
 * that follows time call it for each hour or day. Throws WeirError `bad-input` naming the rule and the field.
 */
export const reallocate = (costs: Costs, rules: readonly SplitRule[], metrics: Metrics = {}): readonly OwnerShare[] => {
  checkSplitRules(rules)
  const sources = new Set(rules.map(({ from }) => from))
  const everybody = [...costs.keys()].filter((owner) => !sources.has(owner))
  const shared = new Map<string, Map<string, Picodollars>>()
  const put = (owner: string, from: string, amount: Picodollars) => {
    const entry = shared.get(owner) ?? new Map<string, Picodollars>()
    shared.set(owner, entry.set(from, picodollars((entry.get(from) ?? 0n) + amount)))
  }
  rules.forEach((rule, at) => {
    const cost = costs.get(rule.from) ?? ZERO
    const weights = cost === 0n ? [] : weightsOf(rule, at, everybody, costs, metrics)
    if (weights.length === 0) return
    put(rule.from, rule.from, picodollars(-cost))
    for (const { owner, amount } of splitByWeight(cost, weights)) put(owner, rule.from, amount)
  })
  const owners = [...new Set([...costs.keys(), ...shared.keys()])].sort(byName)
  return owners.map((owner) => {
    const direct = costs.get(owner) ?? ZERO
    const borne = [...(shared.get(owner) ?? [])]
    const total = borne.reduce((sum, [, amount]) => sum + amount, direct as bigint)
    return { owner, direct, shared: Object.fromEntries(borne), total: picodollars(total) }
  })
}
