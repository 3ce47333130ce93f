import type { Kit, Lever, LeverMode, LiveCall, Pulled, StoredAnswer } from '../../core/lever.ts'
import type { Change } from '../../core/prompt.ts'
import type { Edit } from '../../core/wire.ts'
import type { Active, Arm } from './policies.ts'

/** The levers of a gateway thread, in the order of their turns. Absent from the world where no policy names any. */
export type Levers = Readonly<{ ordered: readonly Lever[]; kitOf(lever: Lever, mode: LeverMode): Kit }>

/** One lever's turn in a call. */
export type Turn = {
  readonly active: Active
  pulled?: Pulled
  /** Why it did nothing: it was waived, threw, or was too slow. */
  skipped?: string
  /** The caller wants nothing of it: it neither acts nor learns. */
  readonly waived?: true
}

/** What levers did on a call. */
export type Pulling = {
  readonly live: LiveCall
  readonly turns: Turn[]
  readonly arm: Arm | undefined
  /** What is wanted different, of all levers together, and the edits of the body that say it. */
  readonly changes: Change[]
  edits: readonly Edit[]
  /** How many bytes of the answer levers want to learn from; 0 for none. */
  readonly wants_answer: number
  given?: StoredAnswer
}

/** Did the lever act: is it on, did it have its turn, and is what it wanted in the call? */
export const acted = ({ active, pulled, skipped }: Turn): boolean =>
  skipped === undefined && active.mode === 'on' && pulled !== undefined && pulled.do !== 'nothing'

/** Input tokens that acting levers took out of the prompt. */
export const removedTokens = (pulling: Pulling | undefined): number => {
  let sum = 0
  for (const turn of pulling?.turns ?? [])
    if (acted(turn) && turn.pulled?.do === 'change') sum += turn.pulled.removed?.at(-1) ?? 0
  return sum
}
