import type {
  Kit,
  Lever,
  LeverMatch,
  LeverMode,
  LeverPolicy,
  LiveCall,
  Pulled,
  StoredAnswer,
} from '../../core/lever.ts'
import type { Change, Outline } from '../../core/prompt.ts'
import type { Edit } from '../../core/wire.ts'
import type { Counted } from '../../playbook/measure/weights.ts'
import type { Bodies } from './bodies.ts'

/** A lever that has a say in a call, with the settings that hold for it. */
export type Active = Readonly<{
  lever: Lever
  mode: Exclude<LeverMode, 'off'>
  settings: LeverPolicy['levers'][string]['settings']
}>

/** The arm that a session is in; absent where no policy holds anything out. */
export type Arm = Readonly<{ experiment: string; arm: 'holdout' | 'levers' }>

/** What policies are matched with. */
export type Facts = Readonly<Partial<Record<keyof LeverMatch, string | undefined>>>

/** Which levers have a say in a call, in the order of their turns; and the policy whose holdout decides over the arm. */
export type Choice = Readonly<{ active: readonly Active[]; holdout: LeverPolicy | undefined }>

/** The levers of a gateway thread. Absent from the world where no policy names any. */
export type Levers = Readonly<{
  choose(facts: Facts): Choice
  kitOf(lever: Lever, mode: LeverMode): Kit
  /** What was found in bodies that came before. */
  bodies: Bodies
  /** Counts anew, in tokens, what was taken out of a call's prompt. `ratio` is the model's to o200k. */
  recount(pulling: Pulling, ratio: number): Promise<void>
}>

/** One lever's turn in a call. */
export type Turn = {
  readonly active: Active
  pulled?: Pulled
  /** The prompt as it found it, where it took something out that is yet to be counted. */
  outline?: Outline | undefined
  /** Why it did nothing: it was waived, threw, or was too slow. */
  skipped?: string
  /** The caller wants nothing of it: it neither acts nor learns. */
  readonly waived?: true
}

/** What levers did on a call. */
export type Pulling = {
  readonly live: LiveCall & Readonly<{ edits(changes: readonly Change[]): readonly Edit[] }>
  readonly turns: Turn[]
  readonly arm: Arm | undefined
  /** The model of the target to which the call was to go when the levers saw it. */
  readonly model: string | undefined
  /** What is wanted different, of all levers together, and the edits of the body that say it. */
  readonly changes: Change[]
  edits: readonly Edit[]
  /** How many bytes of the answer levers want to learn from; 0 for none. */
  readonly wants_answer: number
  given?: StoredAnswer
  /** What was counted of the texts that were edited, as asked, by the part of the reading that they stand in. */
  counted?: ReadonlyMap<number, Counted>
  /** What the parts of the reading weigh by that; absent where there are only characters to go by. */
  weights?: readonly number[] | undefined
  /** Settles when what was taken out is counted in tokens; absent where nothing was. Never rejects. */
  counting?: Promise<void>
}

/** Did the lever act: is it on, did it have its turn, and is what it wanted in the call? */
export const acted = ({ active, pulled, skipped }: Turn): boolean =>
  skipped === undefined && active.mode === 'on' && pulled !== undefined && pulled.do !== 'nothing'

/** Input tokens that acting levers took out of the prompt. */
const removedTokens = ({ turns }: Pulling): number => {
  let sum = 0
  for (const turn of turns) if (acted(turn) && turn.pulled?.do === 'change') sum += turn.pulled.removed?.at(-1) ?? 0
  return sum
}

/** Input tokens of the prompt as it was asked, where the provider counted those of what levers left of it. */
export const askedTokens = (pulling: Pulling | undefined, input_tokens: number): number =>
  pulling ? input_tokens + removedTokens(pulling) : input_tokens
