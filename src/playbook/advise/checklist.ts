/** The playbook's eight steps, each judged from what receipts and settings show. */
import type { Play } from '../../core/lever.ts'
import type { Practice } from '../../core/practice.ts'

export const steps = ['measure', 'route', 'cache', 'batch', 'compact', 'own', 'allocate', 'prove'] as const
export type StepName = (typeof steps)[number]

/** done: little is left to gain. partly: begun. next: not begun. */
export type StepState = 'done' | 'partly' | 'next'

export type Step = Readonly<{
  step: StepName
  /** The question that the step answers. */
  question: string
  state: StepState
  /** What was seen, in numbers. */
  evidence: readonly string[]
  /** What brings it forward. */
  command: string
}>

export type Facts = Readonly<{
  practice: Practice
  /** Input tokens that a provider's cache could have answered where prompts are known, and those that one did, of all calls. */
  cacheable_tokens: number
  cached_tokens: number
  /** The play of every lever that is installed, by its name. */
  plays: Readonly<Record<string, Play>>
  /** Kinds of reported outcomes. */
  outcomes: readonly string[]
  /** The last month with calls that is over, e.g. 2026-10; null where there is none. */
  last_month: string | null
  tag_rules: number
  closed_months: number
  budgets: number
}>

export type Checklist = Readonly<{
  steps: readonly Step[]
  done: number
  /** The first that is not done: each step gates those after it. Null when all are. */
  current: StepName | null
}>

/** Levers of a play that acted. One that is not installed any more is still named PLAY/NAME on its receipts. */
const acted = ({ practice: { levers }, plays }: Facts, play: Play) =>
  levers.filter(({ name }) => (Object.hasOwn(plays, name) ? plays[name] : name.split('/')[0]) === play)

const percent = (part: number, whole: number): string =>
  whole === 0 ? '0 %' : `${Math.round((1000 * part) / whole) / 10} %`
const number = (count: number): string => count.toLocaleString('en-US')
const counted = (count: number, one: string, many = `${one}s`): string => `${number(count)} ${count === 1 ? one : many}`

/** Dollars to read; below a cent two digits of them. */
const dollars = (usd: string): string => {
  const amount = Number(usd)
  const small = amount !== 0 && Math.abs(amount) < 0.01
  return `$${small ? amount.toPrecision(2) : amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`
}
const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

const judged = (done: boolean, begun: boolean): StepState => {
  if (done) return 'done'
  return begun ? 'partly' : 'next'
}

const savings = (levers: Practice['levers']): readonly string[] =>
  levers.map(
    ({ name, calls, saving_usd }) => `${name} acted on ${counted(calls, 'call')} and saved ${dollars(saving_usd)}`,
  )

type Judgement = Omit<Step, 'step' | 'question'>

const measure = ({ practice: { calls, counted_calls, unpriced_calls } }: Facts): Judgement => ({
  state: judged(calls > 0 && unpriced_calls === 0 && counted_calls >= 0.99 * calls, calls > 0),
  evidence: [
    counted(calls, 'call'),
    `${percent(counted_calls, calls)} with the provider’s own count`,
    `${number(unpriced_calls)} without a price`,
  ],
  command:
    calls === 0 ? 'weir serve' : unpriced_calls > 0 ? 'weir report --by model' : 'weir report --by outcome,model',
})

/** A tenth of the calls decided by a lever is a policy; several models in one feature are a beginning. */
const route = (facts: Facts): Judgement => {
  const { practice } = facts
  const levers = acted(facts, 'route')
  const routed = levers.reduce((all, { calls }) => all + calls, 0)
  const { features, mixed_features, calls } = practice
  return {
    state: judged(calls > 0 && routed >= 0.1 * calls, routed > 0 || mixed_features > 0),
    evidence: [
      `${number(mixed_features)} of ${counted(features, 'feature')} ${mixed_features === 1 ? 'uses' : 'use'} more than one model`,
      `${percent(routed, calls)} of calls were routed`,
      ...savings(levers),
    ],
    command: mixed_features > 0 ? 'weir advise --what-if model=NAME' : 'weir report --by feature,model',
  }
}

const cacheEvidence = ({ practice, cacheable_tokens, cached_tokens }: Facts): readonly string[] => {
  const { calls, chained_calls, chained_cached_tokens } = practice
  const read = `${number(cached_tokens)} input tokens came from a cache`
  if (calls > 0 && chained_calls === 0)
    return ['no call says what its prompt begins with, so what repeats is not known', read]
  const known = chained_calls < calls ? [`known of ${percent(chained_calls, calls)} of calls`] : []
  if (calls > 0 && cacheable_tokens === 0) return ['no prompt repeats enough to be cached', ...known]
  const share = percent(chained_cached_tokens, cacheable_tokens)
  return [
    `${number(chained_cached_tokens)} of ${number(cacheable_tokens)} repeated input tokens came from a cache (${share})`,
    ...known,
  ]
}

/** What could have come from a provider's cache, against what did: four fifths is as good as it gets with misses at the start. */
const cache = (facts: Facts): Judgement => {
  const { practice, cacheable_tokens, cached_tokens } = facts
  const { chained_calls, chained_cached_tokens } = practice
  const levers = acted(facts, 'cache')
  const saved = cacheable_tokens === 0 || shareOf(chained_cached_tokens, cacheable_tokens) >= 0.8
  return {
    state: judged(chained_calls > 0 && saved, cached_tokens > 0 || levers.length > 0),
    evidence: [...cacheEvidence(facts), ...savings(levers)],
    command: chained_calls === 0 ? 'weir serve' : levers.length === 0 ? 'weir advise' : 'weir leaks',
  }
}

/** A tenth of all tokens waiting for its discount, where senders say that calls may wait. */
const batch = (facts: Facts): Judgement => {
  const { tokens, waiting_tokens, deferrable_calls } = facts.practice
  return {
    state: judged(shareOf(waiting_tokens, tokens) >= 0.1, waiting_tokens > 0 || deferrable_calls > 0),
    evidence: [
      `${percent(waiting_tokens, tokens)} of tokens at batch, flex or off-peak prices`,
      `${counted(deferrable_calls, 'call')} that may wait`,
      ...savings(acted(facts, 'batch')),
    ],
    command: deferrable_calls > 0 ? 'weir advise --what-if tier=batch' : 'weir report --by service_tier,feature',
  }
}

const compact = (facts: Facts): Judgement => {
  const levers = acted(facts, 'compact')
  const { writing_calls, capped_calls } = facts.practice
  const capped = shareOf(capped_calls, writing_calls)
  return {
    state: judged(levers.length > 0 && capped >= 0.8, levers.length > 0 || capped >= 0.2),
    evidence: [
      `${percent(capped_calls, writing_calls)} of calls that write ask for a maximum of output`,
      ...savings(levers),
    ],
    command: levers.length === 0 ? 'weir advise' : 'weir leaks',
  }
}

const own = (facts: Facts): Judgement => {
  const { practice } = facts
  const levers = acted(facts, 'own')
  const served = levers.reduce((all, { calls }) => all + calls, 0)
  return {
    state: judged(served >= 0.1 * Math.max(practice.calls, 1), served > 0),
    evidence: [`${percent(served, practice.calls)} of calls served by models of your own`, ...savings(levers)],
    command: 'weir report --by feature,model --since month',
  }
}

const allocate = ({ practice, tag_rules, closed_months, budgets, outcomes, last_month }: Facts): Judgement => {
  const { unallocated_usd, cost_usd } = practice
  const nobody = shareOf(Number(unallocated_usd), Number(cost_usd))
  const known = Number(cost_usd) > 0 && nobody <= 0.02
  const commands: readonly (readonly [boolean, string])[] = [
    [!known, 'weir tags set FILE'],
    [budgets === 0, 'weir budgets set organisation --usd DOLLARS --per month'],
    [closed_months === 0 && last_month !== null, `weir close ${last_month}`],
    [outcomes.length === 0, 'weir outcomes add --help'],
  ]
  return {
    state: judged(known && budgets > 0 && closed_months > 0, nobody < 1 && Number(cost_usd) > 0),
    evidence: [
      `${percent(Number(unallocated_usd), Number(cost_usd))} of spend has no team`,
      [counted(budgets, 'budget'), counted(tag_rules, 'virtual tag'), counted(closed_months, 'closed month')].join(
        ', ',
      ),
    ],
    command: commands.find(([missing]) => missing)?.[1] ?? 'weir statement',
  }
}

/** Outcomes first, then a holdout to compare with, then the cost of each. */
const proving = (kind: string | undefined, experiment_calls: number): string => {
  if (kind === undefined) return 'weir outcomes add --help'
  return experiment_calls === 0 ? 'weir levers --settings' : `weir report --per ${kind}`
}

const prove = ({ practice, outcomes }: Facts): Judgement => {
  const { experiment_calls, levers } = practice
  const [kind] = outcomes
  return {
    state: judged(experiment_calls > 0 && kind !== undefined, experiment_calls + outcomes.length + levers.length > 0),
    evidence: [
      counted(outcomes.length, 'kind of outcomes', 'kinds of outcomes'),
      `${counted(experiment_calls, 'call')} in a holdout or experiment`,
      `${counted(levers.length, 'lever')} that acted`,
    ],
    command: proving(kind, experiment_calls),
  }
}

const book: Readonly<Record<StepName, Readonly<{ question: string; judge: (facts: Facts) => Judgement }>>> = {
  measure: { question: 'where does the money go?', judge: measure },
  route: { question: 'must it be this model?', judge: route },
  cache: { question: 'have we paid for this already?', judge: cache },
  batch: { question: 'must it be now?', judge: batch },
  compact: { question: 'must we send all that?', judge: compact },
  own: { question: 'should we serve it ourselves?', judge: own },
  allocate: { question: 'who pays?', judge: allocate },
  prove: { question: 'what first, and did it stick?', judge: prove },
}

/** Judges every step. Without a call nothing is begun. */
export const checklistOf = (facts: Facts): Checklist => {
  const judgements = steps.map((step): Step => ({ step, question: book[step].question, ...book[step].judge(facts) }))
  const open = judgements.filter(({ state }) => state !== 'done')
  return { steps: judgements, done: steps.length - open.length, current: open[0]?.step ?? null }
}
