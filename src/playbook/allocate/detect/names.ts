import { within } from './bounded.ts'
import type { Observation } from './observation.ts'

/** The names under which calls alike are remembered, put together once for all of them. */
export type Names = Readonly<{
  owner: string
  /** What is retried in a loop: the feature, else the agent, else the model. */
  loop: string
  loop_key: string
  session?: string | undefined
  session_key: string
  /** What a session is compared with: the sessions of its agent, else feature, else owner. */
  agent: string
  agent_key: string
}>

type Named = Pick<Observation, 'owners' | 'feature' | 'agent' | 'model' | 'session'>

export const namesOf = ({ owners, feature, agent, model, session }: Named): Names => {
  const owner = owners[0] ?? 'unallocated'
  const loop = feature ?? agent ?? model
  const compared = agent ?? feature ?? owner
  return {
    owner,
    loop,
    loop_key: within(owner, loop),
    session,
    session_key: session === undefined ? '' : within(owner, session),
    agent: compared,
    agent_key: session === undefined ? '' : within(owner, compared),
  }
}

/** One call as the detectors that must see each by itself look at it. Amounts are picodollars: whole numbers, exact below 2^53. */
export type Seen = Readonly<{
  id: string
  at_us: number
  /** Null while nobody knows the price. */
  cost: number | null
  /** The most it may have cost; it stands in for an unknown cost. */
  ceiling: number
  failed: boolean
  /** Equal for equal requests. */
  fingerprint?: string | undefined
}>
