/** Asking a provider that may be busy, lost or unwilling, and saying what became of it. */
import type { BillAnswer, BillAsk, BillRequest } from '../core/bill.ts'
import { type ErrorCode, WeirError } from '../core/errors.ts'
import type { BillRecord } from './record.ts'
import { exactJson } from './source.ts'

const ATTEMPTS = 6
const LONGEST_WAIT_MS = 120_000

/** What a provider says of an error in JSON or XML, bounded and without line breaks. */
const saidBy = (text: string): string => {
  const bounded = (message: string) => `: ${message.replace(/\s+/g, ' ').trim().slice(0, 200).replace(/\.+$/, '')}`
  const spelt = /<Message>([^<]+)<\/Message>/.exec(text)?.[1]
  if (spelt !== undefined) return bounded(spelt)
  try {
    const { error } = exactJson(text) as Readonly<{ error?: unknown }>
    const message = typeof error === 'object' && error !== null ? (error as BillRecord)['message'] : error
    if (typeof message === 'string') return bounded(message)
  } catch {
    // An answer that is neither has nothing to quote.
  }
  return ''
}

/** How long to wait: what the provider asks (seconds or a date), else twice as long each time. */
const waitOf = (asked: string | null, attempt: number, now_ms: number): number => {
  const seconds = Number(asked ?? Number.NaN)
  const until = Number.isNaN(seconds) && asked !== null ? Date.parse(asked) - now_ms : seconds * 1000
  const wait = Number.isNaN(until) ? 1000 * 2 ** attempt : until
  return Math.min(Math.max(wait, 0), LONGEST_WAIT_MS)
}

/** Why an answer is not taken; with `again` it is asked for once more. */
type Failed = Readonly<{ error: WeirError; again: boolean; retry_after: string | null }>

const failed = (code: ErrorCode, message: string, again: boolean, retry_after: string | null = null): Failed => ({
  error: new WeirError(code, message),
  again,
  retry_after,
})

/** What is made of a good answer; undefined where it was cut off, and is asked for again. */
export type Taken<T> = Readonly<{
  take(answer: BillAnswer): T | undefined
  /** What a good answer is, for the message when this one is not. */
  expects: string
  /** What to do about an answer of 401 or 403. */
  permission: string
  /** What comes of an answer of 404, where that is no error. */
  absent?: T
}>

type Judged<T> = Readonly<{ good: T }> | Failed

const judge = <T>(path: string, answer: BillAnswer, { take, expects, permission, absent }: Taken<T>): Judged<T> => {
  const { status, header, text } = answer
  const at = `${path} answered ${status}`
  if (status === 404 && absent !== undefined) return { good: absent }
  if (status === 401 || status === 403) return failed('forbidden', `${at}${saidBy(text)}. ${permission}`, false)
  if (status === 429)
    return failed('rate-limited', `${at}${saidBy(text)}. Try again later`, true, header('retry-after'))
  if (status >= 500) return failed('provider-unreachable', `${at}${saidBy(text)}`, true, header('retry-after'))
  if (status >= 300 && status < 400)
    return failed('provider-unreachable', `${at}, a redirect, which is not followed: name the right address`, false)
  if (status !== 200) return failed('bad-request', `${at}${saidBy(text)}`, false)
  const good = take(answer)
  return good === undefined
    ? failed('provider-unreachable', `${path} answered something that is no ${expects}`, true)
    : { good }
}

/**
 * One answer, asked for again while the provider is busy: as late as it says, six times at most. `askOf` is told when it is, because
 * signatures hold the time. Throws WeirError with what the provider said.
 */
export const askPatiently = async <T>(
  { world }: BillRequest,
  askOf: (now_ms: number) => BillAsk | Promise<BillAsk>,
  taken: Taken<T>,
): Promise<T> => {
  for (let attempt = 0; ; attempt += 1) {
    const asked = await askOf(world.now_ms())
    const { origin, pathname } = new URL(asked.url)
    const found = await world.ask(asked).then(
      (answer) => judge(pathname, answer, taken),
      (cause: unknown) =>
        failed(
          'provider-unreachable',
          `${origin} cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`,
          true,
        ),
    )
    if ('good' in found) return found.good
    if (!found.again || attempt + 1 >= ATTEMPTS) throw found.error
    await world.wait(waitOf(found.retry_after, attempt, world.now_ms()))
  }
}

/** The JSON object of an answer; undefined where there is none. */
export const jsonObject = ({ text }: BillAnswer): BillRecord | undefined => {
  try {
    const value = exactJson(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as BillRecord) : undefined
  } catch {
    return undefined
  }
}
