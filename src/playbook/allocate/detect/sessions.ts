import { amountOf, dollars, show } from './amounts.ts'
import { push, Recent, within } from './bounded.ts'
import { HOUR_US } from './clock.ts'
import type { Candidate } from './finding.ts'
import type { Observation } from './observation.ts'
import { largest } from './robust.ts'
import type { DetectSettings } from './settings.ts'

/** Spend and calls of one session so far, and the percentile it is held against, looked up anew every few calls. */
type Session = {
  begun_us: number
  cost: bigint
  calls: number
  dearest: bigint
  usual: number
  evidence: string[]
}
/** What an agent's last sessions came to, in dollars, and the largest of them, ascending, as long as that is known. */
type Agent = { spent: Recent<number>; top: number[] | null }
export type Sessions = { open: Recent<Session>; agents: Recent<Agent> }

export const openSessions = (): Sessions => ({ open: new Recent(), agents: new Recent() })

/** Sessions an agent is known by, at least and at most. */
const LEAST = 20
const MOST = 512
const AGENTS = 500
const LOOKED_UP_EVERY = 8

/** So many of the largest hold the 99th percentile of `MOST` sessions, and one's own. */
const TOP = 12

/** Notes what a session has come to. Only what was or is among the largest makes them unknown: nearly no call does. */
const note = (agent: Agent, session: string, spent: number): void => {
  const least = agent.top?.[0]
  const before = agent.spent.get(session) ?? 0
  if (least !== undefined && (before >= least || spent >= least)) agent.top = null
  agent.spent.set(session, spent)
}

/** The 99th percentile of an agent's other sessions, dollars; 0 while there are too few. */
const percentile = (agent: Agent, but: string): number => {
  const own = agent.spent.get(but)
  const count = agent.spent.size - (own === undefined ? 0 : 1)
  if (count < LEAST) return 0
  const at = 0.99 * (count - 1)
  agent.top ??= largest(agent.spent.values(), TOP)
  const top = agent.top.slice(Math.floor(at) - agent.spent.size)
  if (own !== undefined) top.splice(Math.max(0, top.indexOf(own)), 1)
  const [low = 0, high = low] = top
  return low + (high - low) * (at - Math.floor(at))
}

/**
 * A session that has spent, or with one more call like its dearest would spend, more than a multiple of its agent's 99th
 * percentile. The multiple is under three, so that a session pages before it has spent three times the percentile, unless a
 * single call takes it there.
 * With under a hundred sessions that percentile is the largest of few, and more is allowed. A session that ran away counts
 * into the percentile with what it was allowed.
 */
export const watchSession = (
  sessions: Sessions,
  call: Observation,
  settings: DetectSettings,
  factor: number,
): Candidate | undefined => {
  if (call.session === undefined || call.cost === null) return undefined
  const owner = call.owners[0] ?? 'unallocated'
  const name = call.agent ?? call.feature ?? owner
  const id = within(owner, call.session)
  const agent = sessions.agents.touch(within(owner, name), AGENTS, (): Agent => ({ spent: new Recent(), top: null }))
  const session = sessions.open.touch(id, settings.bounds.sessions, (): Session => {
    return { begun_us: call.at_us, cost: 0n, calls: 0, dearest: 0n, usual: 0, evidence: [] }
  })
  if (session.calls % LOOKED_UP_EVERY === 0) session.usual = percentile(agent, call.session)
  session.calls += 1
  session.cost += call.cost
  if (call.cost > session.dearest) session.dearest = call.cost
  push(session.evidence, call.id, 8)
  const spent = dollars(session.cost)
  const few = Math.max(1, 2 - agent.spent.size / 100)
  const multiple = settings.session_multiple * factor * few
  const limit = session.usual > 0 ? session.usual * multiple : dollars(settings.session_ceiling)
  const next = session.usual > 0 ? spent + dollars(session.dearest) / 2 : spent
  if (next <= limit) {
    agent.spent.touch(
      call.session,
      MOST,
      () => 0,
      (gone) => {
        if (gone >= (agent.top?.[0] ?? 0)) agent.top = null
      },
    )
    note(agent, call.session, spent)
    return undefined
  }
  note(agent, call.session, limit)
  const hours = Math.max(1 / 60, (call.at_us - session.begun_us) / HOUR_US)
  const against =
    session.usual > 0
      ? `${(spent / session.usual).toFixed(1)} times what 99 of 100 sessions of ${name} stay under (${show(session.usual)})`
      : `beyond the ${show(limit)} that a session may spend while ${name} has too few to compare`
  return {
    kind: 'runaway-session',
    owner,
    subject: call.session,
    since_us: session.begun_us,
    excess: amountOf(spent - session.usual),
    hourly: amountOf(spent / hours),
    score: spent / Math.max(1e-9, limit),
    explanation: { dimension: 'session', value: call.session, cost: amountOf(spent), share: 1 },
    evidence: [...session.evidence],
    message: `session ${call.session} has spent ${show(spent)} in ${session.calls} calls, ${against}`,
  }
}
