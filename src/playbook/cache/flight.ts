/** Identical calls in flight: one goes to the provider, the others wait for what it gets. */
import type { Answers, Kit, LiveCall, Pulled, StoredAnswer } from '../../core/lever.ts'

/** Where the answers of a call lie. */
export type Place = Readonly<{ partition: string; key: string }>

/** Why the last answer was not kept, where that says nothing of the call: its client had left. */
export const GONE = 'the client of the last call left before its answer'

/** The name of a flight: calls that ask the same, or with `isOwn` those of them that ask for the same form too. */
export const flightOf = (key: string, { stream }: Pick<LiveCall, 'stream'>, isOwn: boolean): string =>
  isOwn ? `${key} only ${stream ? 'streamed' : 'whole'}` : key

/** What the leader's answer is for this call; in a flight of one form it is good as it came. */
const shared = (call: LiveCall, answer: StoredAnswer, isOwn: boolean): StoredAnswer | string => {
  const formed = call.asAsked(answer)
  return typeof formed === 'string' && isOwn ? answer : formed
}

const given = (answer: StoredAnswer, came: StoredAnswer): Pulled => ({
  do: 'answer',
  answer,
  why: `the same call was in flight${answer === came ? '' : ', for an answer in another form'}`,
})

type Waiting = Readonly<{ call: LiveCall; place: Place; answers: Answers; kit: Pick<Kit, 'memory'> }>
type Leader = Promise<StoredAnswer | undefined>

/**
 * Waits for the leader's answer. Where its client left, those that still wait join again: one of them goes, for all. So do those that
 * ask for a form in which its answer cannot be given.
 */
export const follow = async (
  { call, place, answers, kit }: Waiting,
  leader: Leader,
  isOwn: boolean,
): Promise<Pulled> => {
  const { partition, key } = place
  let alone = isOwn
  let why = 'the same call was in flight and had no answer to share'
  for (let next: Leader | undefined = leader; next; ) {
    const answer = await next
    const formed = answer && shared(call, answer, alone)
    if (answer && formed !== undefined && typeof formed !== 'string') return given(formed, answer)
    if (formed !== undefined) {
      alone = true
      why = `the same call was in flight, and its answer is not given in another form: ${formed}`
    } else if (kit.memory.get(partition, key) !== GONE) break
    next = answers.join(partition, flightOf(key, call, alone), call.call_id)
  }
  return { do: 'nothing', why }
}
