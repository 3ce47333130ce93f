/** Identical calls in flight: one goes to the provider, the others wait for what it gets. */
import type { Answers, Kit, LiveCall, Pulled, StoredAnswer } from '../../core/lever.ts'
import { type Found, find } from './forms.ts'

/** Where the answers of a call lie. */
export type Place = Readonly<{ partition: string; key: string }>

/** Why the last answer was not kept, where that says nothing of the call: its client had left. */
export const GONE = 'the client of the last call left before its answer'

/** The name of a flight: calls that ask the same, or with `isOwn` those of them that ask for the same form too. */
export const flightOf = (key: string, { stream }: Pick<LiveCall, 'stream'>, isOwn: boolean): string =>
  isOwn ? `${key} only ${stream ? 'streamed' : 'whole'}` : key

type Waiting = Readonly<{ call: LiveCall; place: Place; answers: Answers; kit: Kit }>
type Leader = Promise<StoredAnswer | undefined>

/**
 * What the leader's answer is for this call; in a flight of one form it is good as it came. What another thread's leader got lies
 * where answers are kept.
 */
const landed = ({ call, place, kit }: Waiting, answer: StoredAnswer | undefined, isOwn: boolean): Found | undefined => {
  if (!answer) return find(call, kit, place.partition, place.key)
  const formed = call.asAsked(answer)
  if (formed === answer || (typeof formed === 'string' && isOwn)) return { answer }
  const came = 'in another form'
  return typeof formed === 'string'
    ? { came: `${came}, and is not given in this one: ${formed}` }
    : { answer: formed, came }
}

/**
 * Waits for the leader's answer. Where its client left, those that still wait join again: one of them goes, for all. So do those that
 * ask for a form in which its answer cannot be given.
 */
export const follow = async (waiting: Waiting, leader: Leader, isOwn: boolean): Promise<Pulled> => {
  const { call, place, answers, kit } = waiting
  const { partition, key } = place
  let alone = isOwn
  let why = 'the same call was in flight and had no answer to share'
  for (let next: Leader | undefined = leader; next; ) {
    const found = landed(waiting, await next, alone)
    const came = found?.came === undefined ? '' : `; its answer came ${found.came}`
    if (found?.answer) return { do: 'answer', answer: found.answer, why: `the same call was in flight${came}` }
    if (found) {
      alone = true
      why = `the same call was in flight${came}`
    } else if (kit.memory.get(partition, key) !== GONE) break
    next = answers.join(partition, flightOf(key, call, alone), call.call_id)
  }
  return { do: 'nothing', why }
}
