import { openKinds } from '../../core/kinds.ts'
import type { Answers, Chosen, Ended, Kit, Lever, LiveCall, ReplayKit, Schema, StoredAnswer } from '../../core/lever.ts'
import type { Past, Replay } from '../../core/past.ts'
import { ttl_s } from '../../core/prompt.ts'
import { flightOf, follow, GONE, type Place } from './flight.ts'
import { type Found, find, parted, slotOf, tagsOf } from './forms.ts'

const settings = {
  ttl_s: {
    type: 'number',
    default: ttl_s['1h'],
    least: 1,
    most: 2_592_000,
    unit: 's',
    about: 'how long an answer is kept',
  },
  share: {
    type: 'text',
    default: 'key',
    one_of: ['key', 'team', 'all'],
    about:
      'who may get an answer again: callers with the same key, with keys of the same team and permissions, or everybody with the same permissions',
  },
  any_temperature: {
    type: 'flag',
    default: false,
    about:
      'also keep answers to calls that do not ask for temperature 0 (where none is asked, the API’s default is not 0)',
  },
  max_entry_bytes: {
    type: 'number',
    default: 1_048_576,
    least: 1024,
    most: 16_777_216,
    unit: 'bytes',
    about: 'a longer answer is not kept',
  },
  max_total_bytes: {
    type: 'number',
    default: 268_435_456,
    least: 65_536,
    most: 1_099_511_627_776,
    unit: 'bytes',
    about: 'all kept answers together; what was used least lately goes first',
  },
  tags: { type: 'texts', default: [], about: 'tags for `weir cache purge --tag`, besides team, feature and model' },
} as const satisfies Schema

type Settings = Chosen<typeof settings>

/** The longest answer that any setting can want kept. */
const LONGEST_BYTES = 16 * 1024 * 1024

/** Operations whose answers are the same again: what writes, counts or polls is not. */
const endpoints = new Set([
  'chat',
  'completions',
  'responses',
  'messages',
  'generate',
  'converse',
  'invoke',
  'embeddings',
  'embed',
  'rerank',
])
/** These have no temperature: the same input gives the same vectors. */
const steady = new Set(['embeddings', 'embed', 'rerank'])
/** How an answer that is whole and freely given ends. */
const finished = /^(stop|end_turn|stop_sequence|completed?|eos)$/i

type Asked = Pick<LiveCall, 'circle' | 'tenant' | 'provider' | 'model' | 'stream' | 'temperature' | 'fingerprints'>

/** Why a call has no part in this cache; undefined where it has. */
const unfit = ({ circle, fingerprints, temperature }: Asked, { any_temperature }: Settings): string | undefined => {
  if (!endpoints.has(circle.endpoint)) return `answers of ${circle.endpoint} are not kept`
  if (fingerprints.exact === undefined) return 'the body has no fingerprint'
  if (steady.has(circle.endpoint) || any_temperature || temperature === 0) return undefined
  return temperature === undefined ? 'no temperature is asked, and the default is not 0' : 'the temperature is not 0'
}

/** Why a live call has no part in it: a fingerprint does not tell a body that names a key twice from one that names it once. */
const unfitLive = (call: LiveCall, chosen: Settings): string | undefined => {
  const reason = unfit(call, chosen)
  if (reason !== undefined) return reason
  if (call.in_conversation) return 'it goes on in a conversation that the provider keeps'
  return call.names_twice ? 'the body names a key twice' : undefined
}

/** Who may get an answer again. */
const ownerOf = (tenant: string, share: string, key_team: string | undefined): string => {
  if (share === 'all') return ''
  return share === 'team' && key_team !== undefined ? `team ${key_team}` : tenant
}

type Within = Pick<LiveCall, 'scope' | 'variant' | 'key_team'>

/** Everything that must be equal for an answer to be given again, besides the prompt. */
const partitionOf = (call: Asked, share: string, within: Within, kit: Pick<Kit, 'converts'>): string => {
  const { circle, tenant, provider, model } = call
  const { scope, variant, key_team } = within
  const owner = ownerOf(tenant, share, key_team)
  return JSON.stringify([owner, scope, provider, model, circle.wire, circle.endpoint, parted(call, kit), variant])
}

const placeOf = (call: LiveCall, { share }: Settings, kit: Kit): Place => ({
  partition: partitionOf(call, share, call, kit),
  key: call.fingerprints.exact ?? '',
})

const age = ({ answer, came }: Extract<Found, { answer: StoredAnswer }>, now_us: number): string => {
  const seconds = Math.max(0, Math.round((now_us - answer.stored_at_us) / 1e6))
  return `the same call was answered ${seconds} s ago${came === undefined ? '' : `, ${came}`}`
}

/** What was kept under a longer TTL, of other calls or before a change, is no answer for longer than this call's policy says. */
const inTime = (found: Found | undefined, { ttl_s }: Settings, now_us: number): Found | undefined =>
  found?.answer && now_us - found.answer.stored_at_us >= ttl_s * 1e6 ? undefined : found

/** Why there is no answer: what is wrong with the file, or why the last one was not kept. */
const miss = (answers: Answers, partition: string, key: string, kit: Kit): string =>
  answers.trouble() ?? kit.memory.get<string>(partition, key) ?? 'not asked before, or too long ago'

/** Why an answer is not kept; undefined where it is. */
const unkept = (ended: Ended, { max_entry_bytes }: Settings): string | undefined => {
  const { call, receipt, body } = ended
  if (receipt.outcome === 'client-gone') return GONE
  if (receipt.outcome !== 'ok') return 'the last answer was an error or was cut'
  if (ended.fell_back) return 'the last answer came from another model, to which the call fell back'
  if (ended.has_tool_calls) return 'the last answer asked for tools'
  if (ended.is_refusal) return 'the last answer was a refusal'
  if (!steady.has(call.circle.endpoint) && !(finished.test(receipt.finish_reason ?? '') && ended.is_whole !== false))
    return 'the last answer was not whole'
  if (receipt.usage_source !== 'provider') return 'the usage of the last answer is not known'
  if (body === undefined || body.length > max_entry_bytes) return 'the last answer was longer than is kept'
  return body.length === 0 ? 'the last answer was empty' : undefined
}

const pull: Lever<typeof settings>['pull'] = (call, chosen, kit) => {
  const reason = unfitLive(call, chosen)
  if (reason !== undefined) return { do: 'nothing', why: reason }
  const { answers } = kit
  if (!answers) return { do: 'nothing', why: 'there is no place to keep answers' }
  const place = placeOf(call, chosen, kit)
  const { partition, key } = place
  const found = inTime(find(call, kit, partition, key), chosen, call.at_us)
  if (found?.answer) return { do: 'answer', answer: found.answer, why: age(found, call.at_us) }
  const why = found ? `the same call was answered before, ${found.came}` : miss(answers, partition, key, kit)
  const isOwn = found !== undefined
  const leader = answers.join(partition, flightOf(key, call, isOwn), call.call_id)
  return leader ? follow({ call, place, answers, kit }, leader, isOwn) : { do: 'nothing', why }
}

const learn: NonNullable<Lever<typeof settings>['learn']> = (ended, chosen, kit) => {
  const { call, receipt, body, content_type } = ended
  const { answers } = kit
  if (!answers || unfitLive(call, chosen) !== undefined) return
  const { partition, key } = placeOf(call, chosen, kit)
  const landed = (answer?: StoredAnswer): void => {
    for (const isOwn of [false, true]) answers.done(partition, flightOf(key, call, isOwn), call.call_id, answer)
  }
  const reason = unkept(ended, chosen)
  // An answer that was given again was kept before.
  if (receipt.outcome !== 'cached') kit.memory.set(partition, key, reason)
  if (reason !== undefined || body === undefined) {
    landed()
    return
  }
  const answer: StoredAnswer = {
    body,
    content_type: content_type ?? 'application/json',
    receipt_id: receipt.receipt_id,
    stored_at_us: kit.now_us(),
  }
  const keep = {
    ttl_s: chosen.ttl_s,
    tags: tagsOf(call, chosen.tags),
    most_bytes: chosen.max_total_bytes,
    lever: 'cache/exact',
  }
  answers.put(partition, slotOf(key, call.stream), answer, keep)
  const trouble = answers.trouble()
  if (trouble !== undefined) kit.memory.set(partition, key, `the last answer could not be kept: ${trouble}`)
  landed(answer)
}

/** Bytes of an answer, about, by its tokens: a replay has no bodies. */
const BYTES_PER_TOKEN = 8

const keeps = (past: Past, { max_entry_bytes }: Settings): boolean => {
  if (past.outcome !== 'ok' || past.answered) return false
  if (!steady.has(past.circle.endpoint) && !finished.test(past.finish_reason ?? '')) return false
  return past.usage.output * BYTES_PER_TOKEN <= max_entry_bytes
}

/** Answers of a partition in a replay: until when each is given again, µs, by the hash of what was asked. */
type Kept = { readonly until_us: Map<string, number>; sweep_at: number }

const SWEEP_FROM = 64

/** Keeps an answer, and forgets those whose time is over whenever twice as many are kept as were left the last time. */
const keepIn = (kept: Kept, hash: string, at_us: number, until_us: number): void => {
  const { until_us: all } = kept
  if (all.size >= kept.sweep_at) {
    for (const [other, over_us] of all) if (over_us <= at_us) all.delete(other)
    kept.sweep_at = Math.max(SWEEP_FROM, all.size * 2)
  }
  all.set(hash, until_us)
}

/** A fold over the past: what was answered before within its time is answered again, and what is in flight is waited for. */
const replay = (chosen: Settings, kit: ReplayKit): Replay => {
  const partitions = openKinds<Kept>(
    (past) => {
      const key_team = past.circle.key_id === undefined ? undefined : past.circle.team
      return [partitionOf(past, chosen.share, { scope: '', variant: '', key_team }, kit)]
    },
    () => ({ until_us: new Map(), sweep_at: SWEEP_FROM }),
  )
  return (past) => {
    if (past.answered || unfit(past, chosen) !== undefined) return past
    const { fingerprints, at_us } = past
    const kept = partitions.of(past)
    const hash = fingerprints.exact ?? ''
    if (at_us < (kept.until_us.get(hash) ?? 0)) return { ...past, answered: true }
    if (keeps(past, chosen)) keepIn(kept, hash, at_us, past.ended_at_us + chosen.ttl_s * 1_000_000)
    return past
  }
}

/** Gives the stored answer of an identical call again, whole or streamed as it was asked. */
export const lever: Lever<typeof settings> = {
  name: 'cache/exact',
  play: 'cache',
  about: 'gives the answer of an identical earlier call again, and sends identical calls in flight once',
  settings,
  traits: {
    certainty: 'exact',
    risk: 'none',
    effort: 'switch',
    wants_answer: LONGEST_BYTES,
    patience_ms: 600_000,
  },
  pull,
  learn,
  replay,
}
