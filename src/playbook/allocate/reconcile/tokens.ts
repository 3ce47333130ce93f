import { pieceKinds } from '../../../core/bill.ts'
import type { MeteredRow } from '../../../core/ledger.ts'
import { type Bucket, billedTokens, dayAfter, keyOf, moreRequests, rowsOf, tokensOf, unseenAttempts } from './bucket.ts'
import { countLines } from './fold.ts'
import { arePieces, groupKinds, type KindGroup } from './kinds.ts'
import { addPart, type Comparison, comparisonOf, least, type Reason, size } from './result.ts'

/** Tokens, or pieces, of one group of kinds of a bucket. */
export type TokenCell = Readonly<{ bucket: Bucket; kinds: KindGroup; compared: Comparison<bigint> }>

export type TokenOptions = Readonly<{
  /** Does the bill count such kinds at all? */
  counts(kinds: KindGroup): boolean
  /** Does the provider still lack tokens of this day? */
  late(day: string): boolean
  /** Buckets of a model that has another name on the other side. */
  renamed(bucket: Bucket): boolean
  /** The first and the last day that are compared. */
  first: string
  last: string
  /** Rows of calls that began on the day before the first and ended on it, by owner and model. */
  before(bucket: Bucket): readonly MeteredRow[]
}>

type Draft = {
  bucket: Bucket
  kinds: KindGroup
  provider: bigint
  ledger: bigint
  parts: Map<Reason, bigint>
  rest: bigint
}

const take = (draft: Draft, reason: Reason, amount: bigint): void => {
  addPart(draft.parts, reason, amount)
  draft.rest -= amount
}

/**
 * The bill counts pieces where the ledger counts something else (pictures, of which the ledger has tokens): requests are what
 * both have. Undefined where they count alike.
 */
const requestsOf = ({ lines, rows }: Bucket): Pick<Draft, 'provider' | 'ledger'> | undefined => {
  const counted = lines.filter(({ quantity }) => quantity !== null)
  const kinds = counted.flatMap((line) => line.kinds)
  const apart = counted.length > 0 && rows.length > 0 && counted.every((line) => arePieces(line.kinds))
  if (!apart || rowsOf(rows, kinds).length > 0 || counted.some(({ requests }) => requests === null)) return undefined
  return {
    provider: BigInt(counted.reduce((total, { requests }) => total + (requests ?? 0), 0)),
    ledger: BigInt(rows.reduce((total, { attempts }) => total + attempts, 0)),
  }
}

const draftsOf = (bucket: Bucket, { counts }: TokenOptions): Draft[] => {
  const requests = requestsOf(bucket)
  if (requests !== undefined) {
    const rest = requests.provider - requests.ledger
    return [{ bucket, kinds: ['request'], ...requests, parts: new Map(), rest }]
  }
  const lines = bucket.lines.filter(({ quantity }) => quantity !== null)
  const pieces = pieceKinds.map((kind) => [kind]).filter(counts)
  const groups = groupKinds([...lines.map(({ kinds }) => kinds), ...pieces])
  return groups.flatMap((kinds): Draft[] => {
    if (!counts(kinds)) return []
    const provider = billedTokens(lines, kinds)
    const ledger = tokensOf(rowsOf(bucket.rows, kinds))
    if (provider === 0n && ledger === 0n) return []
    return [{ bucket, kinds, provider, ledger, parts: new Map(), rest: provider - ledger }]
  })
}

/** Tokens of calls over midnight among rows. */
const overMidnight = (rows: readonly MeteredRow[], kinds: KindGroup): bigint =>
  tokensOf(rowsOf(rows, kinds).filter((row) => row.over_midnight))

/** At the edges of the window the other day is not compared: what went over them is all that can be said. */
const moveOverEdges = (drafts: readonly Draft[], { first, last, before, renamed }: TokenOptions): void => {
  for (const draft of drafts) {
    const { bucket, kinds, rest } = draft
    if (renamed(bucket)) continue
    if (bucket.day === first && rest > 0n) take(draft, 'boundary', least(rest, overMidnight(before(bucket), kinds)))
    if (bucket.day === last && rest < 0n) take(draft, 'boundary', -least(-rest, overMidnight(bucket.rows, kinds)))
  }
}

/** Calls over midnight are counted here on the day they began; where the next day has what this one lacks, they moved. */
const moveOverMidnight = (drafts: readonly Draft[], { renamed }: TokenOptions): void => {
  const keyed = (draft: Draft, day: string) => keyOf(day, draft.bucket.owner, draft.bucket.model, draft.kinds.join('+'))
  const found = new Map(drafts.map((draft) => [keyed(draft, draft.bucket.day), draft]))
  const inOrder = drafts.toSorted((one, other) => (one.bucket.day < other.bucket.day ? -1 : 1))
  for (const draft of inOrder) {
    const over = overMidnight(draft.bucket.rows, draft.kinds)
    const next = found.get(keyed(draft, dayAfter(draft.bucket.day)))
    if (over === 0n || draft.rest >= 0n || renamed(draft.bucket) || next === undefined || next.rest <= 0n) continue
    const moved = least(over, -draft.rest, next.rest)
    take(draft, 'boundary', -moved)
    take(next, 'boundary', moved)
  }
}

const uncertain = ({ bucket, kinds }: Draft, aborted: boolean): bigint =>
  tokensOf(rowsOf(bucket.rows, kinds).filter((row) => row.estimated && row.aborted === aborted))

/** Where the ledger has more than the provider: what of it only we counted, up to the difference. */
const takeUncertain = (draft: Draft): void => {
  if (draft.kinds.includes('request')) {
    take(draft, 'aborted', -least(-draft.rest, BigInt(unseenAttempts(draft.bucket.rows))))
    return
  }
  take(draft, 'aborted', -least(-draft.rest, uncertain(draft, true)))
  take(draft, 'estimated', -least(-draft.rest, uncertain(draft, false)))
}

/**
 * The provider has more than the ledger. With as many requests on both sides only counts of our own can be wrong, and where
 * there are none the difference stays open; else there were requests that never passed Weir.
 */
const reasonForMore = (draft: Draft): Reason | undefined => {
  if (moreRequests(draft.bucket) !== false) return 'bypass'
  if (uncertain(draft, true) > 0n || unseenAttempts(draft.bucket.rows) > 0) return 'aborted'
  return uncertain(draft, false) > 0n ? 'estimated' : undefined
}

/** What all of the rest is, if one thing explains all of it. */
const reasonFor = (draft: Draft, options: TokenOptions): Reason | undefined => {
  const { bucket, kinds, rest } = draft
  if (options.renamed(bucket)) return 'alias'
  const rounded = bucket.lines.filter((line) => line.rounded && line.kinds.some((kind) => kinds.includes(kind)))
  if (size(rest) <= countLines(rounded)) return 'rounding'
  if (rest > 0n) return reasonForMore(draft)
  return options.late(bucket.day) ? 'late' : undefined
}

/** Compares the tokens of buckets for which the bill states tokens, and names what explains each difference. */
export const compareTokens = (buckets: readonly Bucket[], options: TokenOptions): TokenCell[] => {
  const drafts = buckets.flatMap((bucket) => draftsOf(bucket, options))
  moveOverMidnight(drafts, options)
  moveOverEdges(drafts, options)
  return drafts.map((draft) => {
    const reason = reasonFor(draft, options)
    if (reason !== undefined) take(draft, reason, draft.rest)
    else if (draft.rest < 0n) takeUncertain(draft)
    const { bucket, kinds, provider, ledger, parts } = draft
    return { bucket, kinds, compared: comparisonOf(provider, ledger, parts) }
  })
}
