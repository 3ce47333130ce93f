/** Stored answers in both forms: those that came as streams and those that came whole. */
import type { Kit, LiveCall, StoredAnswer } from '../../core/lever.ts'

/** Under which name an answer lies: either form has a place of its own, since not each can be given in the other. */
export const slotOf = (key: string, stream: boolean): string => (stream ? `${key} streamed` : key)

/** The tags by which a stored answer is purged: whose it is, of which model, and further ones. */
export const tagsOf = ({ circle, model }: LiveCall, more: readonly string[] = []): readonly string[] => {
  const { team, feature } = circle
  const own = [team && `team:${team}`, feature && `feature:${feature}`, `model:${model}`]
  return [...own.filter((tag) => tag !== undefined), ...more]
}

/** What parts the two forms of a wire that cannot change them: false for all calls of one that can. */
export const parted = (
  { circle, stream }: Pick<LiveCall, 'circle' | 'stream'>,
  { converts }: Pick<Kit, 'converts'>,
): boolean => stream && !converts(circle.wire)

/** An answer to give, with how it came where it came in the other form; or how it came, and why it cannot be given in this one. */
export type Found = Readonly<{ answer: StoredAnswer; came?: string }> | Readonly<{ answer?: undefined; came: string }>

/** The stored answer of a key as the call asks for it: one that came so, or else what the other can be made. */
export const find = (call: LiveCall, { answers, converts }: Kit, partition: string, key: string): Found | undefined => {
  const { stream, circle } = call
  const other = converts(circle.wire) ? slotOf(key, !stream) : undefined
  const stored = answers?.get(partition, slotOf(key, stream), other)
  if (!stored) return undefined
  const formed = call.asAsked(stored)
  if (formed === stored) return { answer: stored }
  const [came, asked] = stream ? ['whole', 'as a stream'] : ['streamed', 'whole']
  return typeof formed === 'string'
    ? { came: `${came}, and is not given ${asked}: ${formed}` }
    : { answer: formed, came }
}
