import type { Replayed } from './replay.ts'
import type { Survey } from './survey.ts'

const percent = (part: number, whole: number): string => {
  const share = whole === 0 ? 0 : (100 * part) / whole
  return `${share >= 10 || share === 0 ? share.toFixed(0) : share.toFixed(1)} %`
}
const count = (number: number): string => number.toLocaleString('en-US')
/** `1 call has`, `2 calls have`: the verb in its two forms. */
const callsThat = (number: number, one: string, more: string): string =>
  number === 1 ? `1 call ${one}` : `${count(number)} calls ${more}`
const money = (picodollars: number): string => {
  const amount = picodollars / 1e12
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2 }
  return `$${Math.abs(amount) >= 1 || amount === 0 ? amount.toLocaleString('en-US', digits) : amount.toPrecision(3)}`
}

/** Fewer sessions than this say little about those to come. */
const FEW_SESSIONS = 30
/** A part of the cost below this is not worth a sentence. */
const WORTH_SAYING = 0.01

const shortPrompts = ({ prompts, cacheable, below_minimum, minimum_tokens }: Survey): string | undefined => {
  if (cacheable === 0 || below_minimum / cacheable < 0.2) return undefined
  const most =
    below_minimum / cacheable > 0.5 ? 'most prompts are' : `${percent(below_minimum, cacheable)} of the prompts are`
  const least = [...new Set(Object.values(minimum_tokens))].sort((one, two) => one - two)
  return `Provider caching: ${most} shorter than the least that is cached (${least.map(count).join(', ')} tokens): ${count(below_minimum)} of ${count(cacheable === prompts ? prompts : cacheable)}. It saves nothing on them.`
}

const tenth = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`

const repeated = ({ repeats }: Survey): string | undefined => {
  if (repeats === undefined || repeats.within_30m === 0) return undefined
  const { tokens, within_5m, within_30m } = repeats
  return `What comes again: ${tenth(within_5m, tokens)} of the tokens of prompts repeat the beginning of one that came within five minutes, ${tenth(within_30m, tokens)} of one within thirty. A provider’s cache that keeps prefixes for so long reads no more than that.`
}

/** Clients that cache by themselves: the lever leaves their marks alone, so this is all that is said of them. */
const marked = ({ prompts, client_marks }: Survey, spent: number): string | undefined => {
  const { calls, saved, hour_dearer, hour_needless, late_calls } = client_marks
  if (calls === 0) return undefined
  const effect =
    saved < 0
      ? `cost ${money(-saved)} more than they saved`
      : `saved ${money(saved)} of what it would have cost uncached`
  const own = `Provider caching: ${callsThat(calls, 'has', 'have')} cache marks of the client’s own, of ${count(prompts)}; they ${effect}, and no lever touches them.`
  if (Math.max(hour_dearer, hour_needless) < WORTH_SAYING * spent) return own
  const most = hour_needless - hour_dearer
  const sum = most > 0 ? `so an hour would have saved at most ${money(most)}` : 'so an hour would not have paid'
  const needless =
    late_calls === 0
      ? 'none of them needless'
      : `writes of at most ${money(hour_needless)} needless (${callsThat(late_calls, 'came', 'came')} too late for five minutes and within the hour)`
  return `${own} Marks for an hour instead of five minutes would have made their writes ${money(hour_dearer)} dearer, and ${needless}: ${sum}.`
}

/** That nothing is saved says nothing where most prompts are long enough to be cached, and no receipt says what was in them. */
const nothingPays = (
  { prompts, chained, fingerprinted, below_minimum }: Survey,
  { unknown, lines }: Replayed,
): string => {
  if (lines.some(({ realised_calls }) => realised_calls > 0))
    return 'Nothing more pays on this traffic: the levers at work leave nothing that another one would save.'
  if (2 * unknown > prompts)
    return 'Whether a lever would pay on this traffic cannot be told: most of its calls have no known cost. Give their models a price (weir prices), and ask again.'
  return 2 * (Math.max(chained, fingerprinted) + below_minimum) < prompts
    ? 'Whether a lever would pay on this traffic cannot be told from these receipts: what they lack is said below.'
    : 'Nothing pays on this traffic: no lever saves anything here. That is a finding, too.'
}

const unseen = ({ prompts, chained, fingerprinted, client_marks }: Survey): (string | undefined)[] => [
  prompts > chained
    ? `${client_marks.calls < prompts - chained ? 'Provider caching and compaction' : 'Compaction'} cannot be replayed for ${count(prompts - chained)} of ${count(prompts)} calls: their receipts have no prefix chain, as in logs that hold no prompts. What they would save there is not known; send the traffic through the gateway for a day.`
    : undefined,
  prompts > fingerprinted
    ? `Exact answers cannot be replayed for ${count(prompts - fingerprinted)} of ${count(prompts)} calls: their receipts have no fingerprint of the body.`
    : undefined,
]

const waiting = ({ waiting: { calls, saving, said, said_saving } }: Survey): string | undefined => {
  if (calls === 0) return undefined
  const marked =
    said > 0
      ? ` Their callers marked ${count(said)} of them as deferrable: ${money(said_saving)} of that is certain.`
      : ' None of them is marked as deferrable, so nothing of it is certain.'
  return `Batch: ${callsThat(calls, 'does not stream', 'do not stream')}, as far as their receipts say. If all of them could wait for up to a day, batch prices would save at most ${money(saving)} of what they cost today, before any other lever.${marked}`
}

/** Sentences that say what is not known, and what does not pay. */
export const notesOn = (replayed: Replayed, survey: Survey): readonly string[] => {
  const { unknown, cost, other, lines } = replayed
  const spent = Number(cost.sum.total)
  const loose = Math.abs(Number(other.total))
  const pays = lines.some(({ marginal }) => Number(marginal.sum.total) > 0)
  const nothing = !pays && lines.length > 0 ? nothingPays(survey, replayed) : undefined
  const said = [
    nothing,
    shortPrompts(survey),
    marked(survey, spent),
    repeated(survey),
    ...unseen(survey),
    waiting(survey),
    unknown > 0
      ? `${callsThat(unknown, 'has', 'have')} no known cost. They are replayed, because they fill caches, and are in no sum.`
      : undefined,
    spent > 0 && loose / spent > WORTH_SAYING
      ? `${percent(loose, spent)} of the cost is not tokens at today’s price book: fees, other media, failed attempts, or prices that were changed since. No lever is credited with it, unless it answers the whole call.`
      : undefined,
    survey.sessions < FEW_SESSIONS
      ? `The calls fall into ${survey.sessions === 1 ? 'one session' : `only ${count(survey.sessions)} sessions`} (without a name, what one caller asks within an hour is one): the ranges say little about those to come.`
      : undefined,
  ]
  return said.filter((sentence) => sentence !== undefined)
}
