import type { CacheRule } from '../../core/past.ts'
import { ttl_s } from '../../core/prompt.ts'
import type { Receipt } from '../../core/receipt.ts'
import { byUse, chainOf, commonWith, type Pair, slackOf, touchedBy } from './why/pairs.ts'

const grouped = (count: number): string => count.toLocaleString('en-US')

/** Why a prompt was not read from the provider's cache, or not as far as it could have been. */
export type Cause =
  | 'read'
  | 'no-rule'
  | 'no-chain'
  | 'not-served'
  | 'below-minimum'
  | 'not-marked'
  | 'not-written'
  | 'first'
  | 'changed'
  | 'expired'
  | 'parallel'
  | 'too-far'
  | 'other-model'
  | 'other-account'
  | 'unexplained'

export type Place = Readonly<{
  /** Where two prompts part: in the tools, the system part, or a message. */
  part: 'tools' | 'system' | 'message'
  /** Which message, from 1; absent for the others. */
  message?: number
  /** The block of the whole prompt, from 1, and the tokens before it. */
  block: number
  tokens_before: number
}>

export type Why = Readonly<{
  cause: Cause
  /** One sentence: what happened. */
  said: string
  /** What to do about it; absent where there is nothing to do. */
  advice?: string
  read_tokens: number
  input_tokens: number
  /** Tokens that an earlier prompt had in common with this one. */
  common_tokens: number
  /** The earlier call that it is compared with. */
  earlier?: Readonly<{ call_id: string; age_s: number; model: string; provider: string }>
  parted_at?: Place
}>

const placeAfter = (call: Receipt, index: number): Place => {
  const { tokens } = chainOf(call)
  const { tools_tokens = 0, system_tokens = 0 } = call
  const before = tokens[index] ?? 0
  const place = { block: index + 2, tokens_before: before }
  const slack = slackOf(before)
  if (before + slack < tools_tokens) return { part: 'tools', ...place }
  if (before + slack < tools_tokens + system_tokens) return { part: 'system', ...place }
  const definitions = tokens.filter((count) => count <= tools_tokens + system_tokens + slack).length
  return { part: 'message', message: Math.max(1, index + 2 - definitions), ...place }
}

const advices = {
  tools:
    'Send the same tools in the same order with their JSON keys in the same order; add tools at the end, or defer them.',
  system:
    'Move what changes (dates, ids, user names, retrieved text) out of the system prompt, behind everything that stays.',
  message:
    'Only append to a conversation: do not rewrite, shorten or reorder what was sent, and put what changes last.',
} as const

const nameOf = ({ part, message }: Place): string => (part === 'message' ? `message ${message}` : `the ${part}`)

const minutes = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`

const ttlOf = ({ cache_write_1h_tokens: long = 0 }: Receipt, rule: CacheRule): number =>
  long > 0 ? ttl_s[rule.ttls.at(-1) ?? rule.default_ttl] : ttl_s[rule.default_ttl]

type Facts = Pick<Why, 'read_tokens' | 'input_tokens' | 'common_tokens'> & Partial<Why>

const earlierOf = (call: Receipt, { receipt }: Pair): NonNullable<Why['earlier']> => ({
  call_id: receipt.call_id,
  age_s: (call.started_at_us - receipt.started_at_us) / 1e6,
  model: receipt.model_asked ?? '',
  provider: receipt.provider,
})

/** The prompt was sent before, and could have been read: why was it not? */
const held = (call: Receipt, pair: Pair, rule: CacheRule, facts: Facts): Why => {
  const { receipt, index } = pair
  const age_s = (call.started_at_us - receipt.started_at_us) / 1e6
  const begun = receipt.first_token_at_us ?? receipt.ended_at_us
  if (begun > call.started_at_us)
    return {
      ...facts,
      cause: 'parallel',
      said: `The call that wrote this prefix had not begun to answer when this one was sent: a prefix can be read from then on.`,
      advice: 'Send one call first, wait for its first token, and then the others.',
    }
  const ttl = ttlOf(receipt, rule)
  if (age_s > ttl)
    return {
      ...facts,
      cause: 'expired',
      said: `The prefix was last used ${minutes(age_s)} before; the provider keeps it ${minutes(ttl)} after its last use.`,
      advice:
        rule.ttls.length > 1
          ? `Ask for a longer TTL (${rule.ttls.at(-1)}), or let the lever cache/provider-prefix choose it.`
          : 'Send calls with one prefix closer together.',
    }
  const blocks = chainOf(call).hashes.length - 1 - index
  if (rule.lookback_blocks > 0 && blocks > rule.lookback_blocks)
    return {
      ...facts,
      cause: 'too-far',
      said: `${blocks} blocks were added since; the provider looks ${rule.lookback_blocks} blocks back from a mark.`,
      advice: 'Place a further mark in between: one every twenty blocks.',
    }
  return {
    ...facts,
    cause: 'unexplained',
    said: 'The prefix was sent before and should have been held; caches are no promise of the provider’s.',
    ...(rule.takes_key ? { advice: 'Set prompt_cache_key, so that calls with one prefix reach one machine.' } : {}),
  }
}

/** No earlier prompt has enough in common: what changed? */
const parted = (call: Receipt, pair: Pair, facts: Facts): Why => {
  const place = placeAfter(call, pair.index)
  return {
    ...facts,
    cause: 'changed',
    parted_at: place,
    said: `This prompt parts from the nearest earlier one in ${nameOf(place)} (block ${place.block}, after ${grouped(place.tokens_before)} tokens).`,
    advice: advices[place.part],
  }
}

/** Did no provider work on the call? Then none has read or written a cache for it. */
const unserved = ({ outcome, input_tokens = 0 }: Receipt): boolean =>
  outcome === 'cached' || ((outcome === 'refused' || outcome === 'error') && input_tokens === 0)

/** Nobody has set a mark: where the lever was there to do it, its own reason. */
const unmarked = ({ levers }: Receipt, facts: Facts): Why => {
  const nothing = { ...facts, cause: 'not-marked' } as const
  const said = 'Nothing was read and nothing written: the prompt carries no cache mark'
  const trace = levers?.find(({ name, action }) => name === 'cache/provider-prefix' && action === 'skipped')
  if (trace) return { ...nothing, said: `${said}; cache/provider-prefix says: ${trace.why}.` }
  const advice = 'Turn on the lever cache/provider-prefix, or set cache_control on the last block that stays the same.'
  return { ...nothing, said: `${said}.`, advice }
}

const before = (call: Receipt, rule: CacheRule | undefined, facts: Facts): Why | undefined => {
  const { read_tokens, input_tokens } = facts
  if (unserved(call))
    return {
      ...facts,
      cause: 'not-served',
      said:
        call.outcome === 'cached'
          ? 'Weir answered this call itself, from an earlier answer: no provider was asked.'
          : 'The call failed before a provider worked on it: nothing was read, and nothing billed.',
    }
  if (!call.prefix_hashes?.length)
    return {
      ...facts,
      cause: 'no-chain',
      said: 'The receipt has no prefix chain: the prompt was not read, or the call came from an import.',
    }
  if (!rule) return { ...facts, cause: 'no-rule', said: 'How this provider caches this model is not known.' }
  if (input_tokens < rule.minimum_tokens)
    return {
      ...facts,
      cause: 'below-minimum',
      said: `The prompt has ${grouped(input_tokens)} tokens; this model caches from ${grouped(rule.minimum_tokens)} on.`,
    }
  const last = call.prefix_tokens?.at(-2) ?? 0
  if (read_tokens > 0 && read_tokens >= last * 0.9)
    return {
      ...facts,
      cause: 'read',
      said: `${grouped(read_tokens)} of ${grouped(input_tokens)} tokens were read from the cache.`,
    }
  return rule.style === 'marks' && touchedBy(call) === 0 ? unmarked(call, facts) : undefined
}

const isSame = (one: string | undefined, other: string | undefined): boolean => one !== undefined && one === other

/** Definitions that differ in length by no more than this share may be the same ones with a date or an order changed. */
const ALIKE = 0.1

/** Are tools and system part about as long, and as many? Calls that nobody has named are told apart by no more. */
const isAlike = (call: Receipt, other: Receipt): boolean => {
  const [mine = 0, its = 0] = [call, other].map(
    ({ tools_tokens = 0, system_tokens = 0 }) => tools_tokens + system_tokens,
  )
  return mine > 0 && call.tool_count === other.tool_count && Math.abs(mine - its) <= ALIKE * Math.max(mine, its)
}

/** How near an earlier call is to this one: of its conversation, its session, its kind; 0 where it is another matter. */
const kin = (call: Receipt, { receipt: other, tokens }: Pair): number => {
  if (isSame(call.fingerprint_conversation, other.fingerprint_conversation)) return 3
  if (isSame(call.session, other.session)) return 2
  return isSame(call.fingerprint_template, other.fingerprint_template) ||
    isSame(call.feature, other.feature) ||
    tokens > 0 ||
    isAlike(call, other)
    ? 1
    : 0
}

/** The prompt was sent before, but what is in common was not left in the cache to its end. */
const unwritten = ({ held_tokens }: Pair, facts: Facts): Why => ({
  ...facts,
  cause: 'not-written',
  said:
    held_tokens === 0
      ? 'The earlier call with this prefix carried no cache mark and wrote nothing.'
      : `The earlier call with this prefix wrote only its first ${grouped(held_tokens)} tokens.`,
})

/** A difference of whom: the model, or whose cache it is. */
const elsewhere = (call: Receipt, { receipt }: Pair, facts: Facts): Why =>
  isSameModel(call, receipt)
    ? {
        ...facts,
        cause: 'other-account',
        said: 'The prefix was sent with another key; caches belong to an account or workspace.',
        advice: 'Send calls with one prefix by one provider key.',
      }
    : {
        ...facts,
        cause: 'other-model',
        said: `The prefix was sent to ${receipt.provider} ${receipt.model_asked ?? ''}; each model has a cache of its own.`,
        advice: 'Keep a conversation on one model and provider; count the new write before you switch.',
      }

/** Whose cache it is: with a key of Weir's the provider's key is the gateway's own. */
const accountOf = ({ key_id, tenant }: Receipt): string | undefined => (key_id === undefined ? tenant : undefined)

const isSameModel = (call: Receipt, other: Receipt): boolean =>
  other.provider === call.provider && other.model_asked === call.model_asked

const isHere = (call: Receipt, other: Receipt): boolean =>
  isSameModel(call, other) && accountOf(other) === accountOf(call)

/**
 * Explains from prefix chains alone why a call was not read from the cache: what changed, at which block, or that it was too
 * late, too early, too short or elsewhere. `earlier` are calls before it, in any order; `rule` is that of its model.
 */
export const whyNotRead = (call: Receipt, earlier: readonly Receipt[], rule: CacheRule | undefined): Why => {
  const { cache_read_tokens: read_tokens = 0, input_tokens = 0 } = call
  const facts: Facts = { read_tokens, input_tokens, common_tokens: 0 }
  const known = before(call, rule, facts)
  if (known || !rule) return known ?? { ...facts, cause: 'no-rule', said: 'How this model caches is not known.' }
  const others = earlier.filter(
    (one) => one.started_at_us < call.started_at_us && one.call_id !== call.call_id && !unserved(one),
  )
  const pairs = others.map((one) => commonWith(call, one, rule)).sort(byUse)
  const here = pairs.filter(({ receipt }) => isHere(call, receipt))
  const least = Math.max(rule.minimum_tokens, read_tokens + 1)
  const best = here.find((pair) => pair.held_tokens >= least)
  const seen = (pair: Pair): Facts => ({ ...facts, common_tokens: pair.tokens, earlier: earlierOf(call, pair) })
  if (best) return held(call, best, rule, seen(best))
  const short = here.find(({ tokens, receipt }) => tokens >= least && touchedBy(receipt) < least)
  if (short) return unwritten(short, seen(short))
  const foreign = pairs.filter(({ receipt, tokens }) => tokens >= least && !isHere(call, receipt))
  const nextDoor = foreign.find(({ receipt }) => isSameModel(call, receipt)) ?? foreign[0]
  if (nextDoor) return elsewhere(call, nextDoor, seen(nextDoor))
  const nearest = here
    .filter((pair) => kin(call, pair) > 0)
    .sort((a, b) => kin(call, b) - kin(call, a) || byUse(a, b))[0]
  if (nearest) return parted(call, nearest, seen(nearest))
  return {
    ...facts,
    cause: 'first',
    said: 'No earlier call is like this one: it is the first, and writes what later ones can read.',
  }
}
