import { WeirError } from '../../core/errors.ts'
import type { Receipt } from '../../core/receipt.ts'
import type { Asking } from '../verb.ts'

/** Shorter beginnings of ids span days, or all time: too many calls to look through. */
const FEWEST_DIGITS = 6

/** First and last millisecond of the ids that begin so: a UUIDv7 starts with its time. */
const spanOf = (prefix: string): Readonly<{ from_us: number; to_us: number }> | undefined => {
  const digits = prefix.replaceAll('-', '').slice(0, 12)
  if (digits.length < FEWEST_DIGITS || !/^[0-9a-f]+$/i.test(digits)) return undefined
  const first = Number.parseInt(digits.padEnd(12, '0'), 16)
  const last = Number.parseInt(digits.padEnd(12, 'f'), 16)
  // The call's id is made as it arrives; its attempts start a little later.
  return { from_us: (first - 60_000) * 1000, to_us: (last + 3_600_000) * 1000 }
}

const most = 10_000

/**
 * The receipts of one call by its id, a receipt's id, or the unmistakable beginning of a call's id. Throws WeirError
 * `not-found`, or `bad-input` when several calls begin so.
 */
export const findCall = async (ledger: Asking, given: string): Promise<readonly Receipt[]> => {
  const id = given.replace(/…$/, '')
  const { receipts } = await ledger.query({ ask: 'call', id })
  if (receipts.length > 0) return receipts
  const window = spanOf(id)
  const near = window ? (await ledger.query({ ask: 'calls', window, limit: most })).receipts : []
  const found = new Set(near.filter(({ call_id }) => call_id.startsWith(id)).map(({ call_id }) => call_id))
  if (found.size > 1) {
    const some = [...found].slice(0, 5).join('\n  ')
    throw new WeirError('bad-input', `${found.size} calls begin with ${id}; give more of the id:\n  ${some}`)
  }
  const [only] = found
  if (only !== undefined) return (await ledger.query({ ask: 'call', id: only })).receipts
  if (/^[0-9a-f]+$/i.test(id) && id.length < FEWEST_DIGITS)
    throw new WeirError(
      'bad-input',
      `${id} is too little of an id to find a call by: give its first ${FEWEST_DIGITS} characters or more`,
    )
  throw new WeirError(
    'not-found',
    `there is no call or receipt ${id} in the ledger. The latest are listed by: weir calls`,
  )
}
