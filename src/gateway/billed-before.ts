import type { Attempt } from './call.ts'
import type { World } from './world.ts'

/** Operations that make an answer which the provider keeps, and those that fetch it: both state what it cost. */
const makes = new Set(['responses', 'interactions'])
const fetches = new Set(['responses.poll', 'interactions.poll', 'batch_results', 'files.content'])

/** How long the ledger may take to say whether it has an answer's bill; the client's last bytes wait for it. */
const LOOK_UP_MS = 10_000

export const UNSURE = 'an earlier fetch of this answer may have billed it: the ledger could not be asked'

export type BilledBefore = 'yes' | 'no' | 'unsure'

/** Within `ms`, or not at all. */
const within = async <T>(ms: number, asked: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('too late')), ms)
  })
  try {
    return await Promise.race([asked, late])
  } finally {
    clearTimeout(timer)
  }
}

const lookUp = async (provider: string, response_id: string, world: World): Promise<BilledBefore> => {
  try {
    return (await within(LOOK_UP_MS, world.billed_before(provider, response_id))) ? 'yes' : 'no'
  } catch {
    return 'unsure'
  }
}

/**
 * Is this a kept answer that has its bill already? A stored or background response, an interaction or a batch's results
 * can be fetched again and again; the first receipt that sees their usage bills it. The gateway's memory knows what was
 * billed since its start, the ledger what was billed before. A fetch that breaks off bills nothing: the next one sees all.
 */
export const billedBefore = (attempt: Attempt, world: World): Promise<BilledBefore> | 'yes' | 'no' => {
  const endpoint = attempt.reading?.endpoint ?? ''
  const isFetch = fetches.has(endpoint)
  if (!isFetch && !makes.has(endpoint)) return 'no'
  const { metered, upstream, status = 599 } = attempt
  // Refused, or still running: nothing is billed yet.
  if (status >= 400 || metered === undefined || metered.usage?.lines.length === 0) return 'no'
  if (isFetch && !metered.complete) return 'yes'
  if (metered.response_id === undefined) return 'no'
  const isFirst = world.bill_once(`${upstream.name} ${metered.response_id}`)
  // What was made now is new whatever its id: some local servers draw ids from a few thousand.
  if (!isFetch) return 'no'
  return isFirst ? lookUp(upstream.name, metered.response_id, world) : 'yes'
}
