import { chance } from '../../core/chance.ts'
import type { Chosen, Lever, ReplayKit } from '../../core/lever.ts'
import type { Past, Replay } from '../../core/past.ts'

/** A lever with the settings that are tried. */
export type Candidate = Readonly<{ lever: Lever; settings: Chosen }>

/** What every replay gets; chance is its own, so that no lever's draws depend on another's. */
export type FoldKit = Pick<ReplayKit, 'hash' | 'cache_rule' | 'converts'> & Readonly<{ seed: number }>

export type Fold = Readonly<{
  replay: Replay
  /** Why it was given up, where it threw: from then on it changes nothing. */
  failure(): string | undefined
}>

/** The values that a schema's settings have when nobody says otherwise. */
export const defaultsOf = ({ settings }: Pick<Lever, 'settings'>): Chosen =>
  Object.fromEntries(Object.entries(settings).map(([name, setting]) => [name, setting.default])) as Chosen

/** One fold of a lever over the past, with a state of its own. A lever that throws is left out from there on, and named. */
export const foldOf = ({ lever, settings }: Candidate, { hash, cache_rule, converts, seed }: FoldKit): Fold => {
  let failure: string | undefined
  let replay: Replay | undefined
  const give_up = (error: unknown): void => {
    failure = error instanceof Error ? error.message : String(error)
    replay = undefined
  }
  try {
    replay = lever.replay(settings, { hash, cache_rule, converts, random: chance(seed) })
  } catch (error) {
    give_up(error)
  }
  return {
    replay: (past: Past) => {
      if (replay === undefined) return past
      try {
        return replay(past)
      } catch (error) {
        give_up(error)
        return past
      }
    },
    failure: () => failure,
  }
}
