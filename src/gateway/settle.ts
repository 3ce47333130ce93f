import { formatUsd, picodollars } from '../core/money.ts'
import type { AnatomyTokens } from '../core/receipt.ts'
import type { NormalisedUsage } from '../core/usage.ts'
import type { Metered } from '../core/wire.ts'
import { anatomy } from '../playbook/measure/anatomy.ts'
import { moneyColumns, usageColumns } from '../playbook/measure/columns.ts'
import { usageOf } from '../playbook/measure/estimate.ts'
import { prefixTokens, weighted } from '../playbook/measure/prefixes.ts'
import { weightsOf } from '../playbook/measure/weights.ts'
import { counterfactual } from '../playbook/price/counterfactual.ts'
import { billedBefore, UNSURE } from './billed-before.ts'
import type { Answer, Attempt, Call, Given } from './call.ts'
import { costOf } from './cost.ts'
import { blankDraft, type Draft } from './draft.ts'
import { askedTokens } from './levers/pulling.ts'
import { promptOf } from './prompt.ts'
import { asWeirError } from './shape.ts'
import type { World } from './world.ts'

/**
 * Did the provider do anything that it may bill, without saying what? A refusal or a lost connection is not billed; a
 * prompt that it had when the client left, or we stopped to wait, may be.
 */
const billedUnseen = ({ attempt, outcome, error }: Answer): boolean => {
  if (!attempt?.reading?.billable || attempt.unread) return false
  if (attempt.status === undefined)
    return error?.code === 'provider-timeout' || (outcome !== 'error' && attempt.sent === true)
  return attempt.status < 300 && !isBareError(attempt)
}

/** An error that came before the model had written anything. */
const isBareError = ({ metered }: Attempt): boolean => metered?.error !== undefined && metered.output_text === ''

const otherwise = ({ attempt }: Answer): 'none' | 'unmetered' | 'unpriced' => {
  if (!attempt || (attempt.status ?? 599) >= 400) return 'none'
  if (!attempt.reading) return 'unmetered'
  return attempt.reading.billable && (attempt.status ?? 0) < 300 && !isBareError(attempt) ? 'unpriced' : 'none'
}

const NOTHING_SEEN: Metered = { complete: false, output_text: '' }

/** Did the provider say less than it will bill: nothing, or of a stream only its input? */
const isPartial = ({ usage, output_text }: Metered): boolean =>
  usage === undefined || (output_text !== '' && usage.lines.length > 0)

const UNBEGUN = 'it ended before the answer began: what the model had written by then is not in the estimate'

/** Usage by tokenizer, as far as the provider did not report it. */
const estimate = async (call: Call, attempt: Attempt, world: World): Promise<NormalisedUsage | undefined> => {
  const { reading, upstream, model, metered = NOTHING_SEEN } = attempt
  if (!reading) return undefined
  const { ratio } = world.tokens.ratios.of(upstream.price_as, model ?? '')
  const usage = await usageOf({ reading, json: call.json, metered, count: world.tokens.count, ratio })
  // No text was asked or seen (sound, pictures, token ids): that is not nothing, but not known.
  if (usage.totals.input + usage.totals.output === 0) return metered.usage
  return attempt.status === undefined ? { ...usage, warnings: [...usage.warnings, UNBEGUN] } : usage
}

type Asked = Readonly<{ price_as: string; model: string | undefined; usage: NormalisedUsage | undefined }>

/**
 * Prompt tokens by part, and the fingerprints that let a replay see what could have been cached. They describe the prompt as
 * it was asked: what levers took out counts besides what the provider counted.
 */
const addPrompt = (draft: Draft, call: Call, { price_as, model, usage }: Asked, world: World): void => {
  const { reading } = call
  const found = promptOf(call)
  if (!found || !reading) return
  const { bytes_per_token } = world.tokens.ratios.of(price_as, model ?? '')
  const input_tokens = usage && askedTokens(call.pulling, usage.totals.input)
  const weights = weightsOf(reading.parts, input_tokens, call.pulling?.counted)
  if (call.pulling) call.pulling.weights = weights
  anatomy(reading.parts, input_tokens, bytes_per_token, draft as AnatomyTokens, weights)
  draft.fingerprint_exact = found.fingerprint_exact
  draft.fingerprint_template = found.fingerprint_template
  draft.fingerprint_conversation = found.fingerprint_conversation
  draft.prefix_hashes = found.chain.hashes
  draft.prefix_tokens = prefixTokens(
    weights === undefined ? found.chain : weighted(found.chain, weights),
    input_tokens,
    bytes_per_token,
  )
}

const allColumns = (
  call: Call,
  answer: Answer,
  attempt: Attempt,
  usage: NormalisedUsage | undefined,
  world: World,
): Draft => {
  const cost = usage ? costOf(call, attempt, usage, world) : undefined
  const draft = blankDraft()
  usageColumns(usage, draft)
  const { priced, list, counterfactual } = cost ?? {}
  moneyColumns({ priced, list, counterfactual, usage, otherwise: otherwise(answer) }, draft)
  addPrompt(draft, call, { price_as: attempt.upstream.price_as, model: attempt.model, usage }, world)
  return draft
}

/** A fault of ours must not cost the receipt: what was used stays, and what it costs is not known. */
const columns = (
  call: Call,
  answer: Answer,
  attempt: Attempt,
  usage: NormalisedUsage | undefined,
  world: World,
): Draft => {
  try {
    return allColumns(call, answer, attempt, usage, world)
  } catch (error) {
    world.log.failure(call.id, asWeirError(error))
    const draft = blankDraft()
    usageColumns(usage, draft)
    draft.price_state = 'unpriced'
    draft.warnings = ['internal: the call could not be priced']
    return draft
  }
}

/** Nothing was billed, whatever the provider says of usage. */
const nothing = (usage?: NormalisedUsage): Draft => {
  const draft = blankDraft()
  usageColumns(usage, draft)
  draft.usage_source = 'none'
  draft.price_state = 'none'
  return draft
}

/** Nothing was spent; what it would have cost is the counterfactual, and its usage that of the stored answer. */
const settleGiven = (call: Call, { metered: { usage, model_served } }: Given, world: World): Draft => {
  const draft = nothing(usage)
  const { upstream, reading } = call
  if (!usage || !upstream || !reading) return draft
  const { price_as, settings } = upstream
  const model = model_served ?? reading.model ?? ''
  const { region } = settings
  const billable = {
    provider: price_as,
    model,
    at_us: call.started_at_us,
    usage,
    ...(region === undefined ? {} : { region }),
  }
  const plain = counterfactual(billable, world.book, { asked_model: reading.model ?? model, provider: price_as })
  draft.usage_source = 'provider'
  draft.cost_usd = formatUsd(picodollars(0n))
  if (plain !== null) draft.counterfactual_cost_usd = formatUsd(plain)
  addPrompt(draft, call, { price_as, model: reading.model, usage }, world)
  return draft
}

const settleNew = (call: Call, answer: Answer, attempt: Attempt, world: World): Promise<Draft> | Draft => {
  const usage = attempt.metered?.usage
  // The provider says that nothing was billed: a response that still runs in the background.
  if (usage?.lines.length === 0) return nothing(usage)
  if (usage ? !isPartial(attempt.metered ?? NOTHING_SEEN) : !billedUnseen(answer))
    return columns(call, answer, attempt, usage, world)
  return estimate(call, attempt, world).then((estimated) => columns(call, answer, attempt, estimated, world))
}

const settleCounted = (call: Call, answer: Answer, world: World): Promise<Draft> | Draft => {
  const { attempt, given } = answer
  if (given) return settleGiven(call, given, world)
  if (!attempt) return nothing()
  const known = billedBefore(attempt, world)
  if (known === 'no') return settleNew(call, answer, attempt, world)
  if (known === 'yes') return nothing()
  return known.then(async (found) => {
    if (found === 'yes') return nothing()
    const draft = await settleNew(call, answer, attempt, world)
    return found === 'no' ? draft : { ...draft, warnings: [...(draft.warnings ?? []), UNSURE] }
  })
}

/**
 * What an attempt cost: the provider's usage, or an estimate of what it did not report, at the prices in force; and what
 * the prompt was made of. The columns that the receipt gets besides who, what and how it ended. An answer that is fetched
 * again costs nothing again.
 */
export const settle = (call: Call, answer: Answer, world: World): Promise<Draft> | Draft => {
  const counting = call.pulling?.counting
  return counting ? counting.then(() => settleCounted(call, answer, world)) : settleCounted(call, answer, world)
}
