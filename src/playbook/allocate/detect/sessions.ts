import { HOUR_US } from '../../../core/date.ts'
import { amountOf, dollars, show } from './amounts.ts'
import { Recent } from './bounded.ts'
import type { Candidate } from './finding.ts'
import type { Names, Seen } from './names.ts'
import { withEvidence } from './observation.ts'
import { largest } from './robust.ts'
import type { DetectSettings } from './settings.ts'

/** Spend (picodollars) and calls of one session so far, and the percentile it is held against, looked up anew every few calls. */
type Session = {
  begun_us: number
  cost: number
  calls: number
  dearest: number
  usual: number
  evidence: string[]
  told_us: number
}
type Spent = { usd: number }
/** What an agent's last sessions came to, and the largest of them, dollars, ascending, as long as that is known. */
type Agent = { spent: Recent<Spent>; top: number[] | null }
export type Sessions = { open: Recent<Session>; agents: Recent<Agent> }

export const openSessions = (): Sessions => ({ open: new Recent(), agents: new Recent() })

/** Sessions an agent is known by, at least and at most. */
const LEAST = 20
const MOST = 512
const AGENTS = 500
const LOOKED_UP_EVERY = 8

/** So many of the largest hold the 99th percentile of `MOST` sessions, and one's own. */
const TOP = 12

/** What is told of already is raised again once a second. */
const AGAIN_US = 1_000_000

const openSession = (begun_us: number): Session => ({
  begun_us,
  cost: 0,
  calls: 0,
  dearest: 0,
  usual: 0,
  evidence: [],
  told_us: 0,
})

/** Notes what a session has come to. Only what was or is among the largest makes them unknown: nearly no call does. */
const note = (agent: Agent, spent: Spent, usd: number): void => {
  const least = agent.top?.[0]
  if (least !== undefined && (spent.usd >= least || usd >= least)) agent.top = null
  spent.usd = usd
}

/** The 99th percentile of an agent's other sessions, dollars; 0 while there are too few. */
const percentile = (agent: Agent, but: string): number => {
  const own = agent.spent.get(but)?.usd
  const count = agent.spent.size - (own === undefined ? 0 : 1)
  if (count < LEAST) return 0
  const at = 0.99 * (count - 1)
  agent.top ??= largest(
    agent.spent.values().map(({ usd }) => usd),
    TOP,
  )
  const top = agent.top.slice(Math.floor(at) - agent.spent.size)
  if (own !== undefined) top.splice(Math.max(0, top.indexOf(own)), 1)
  const [low = 0, high = low] = top
  return low + (high - low) * (at - Math.floor(at))
}

/** What a session has come to among those of its agent, of which the longest unseen is forgotten. */
const spentOf = (agent: Agent, session: string): Spent =>
  agent.spent.touch(
    session,
    MOST,
    (): Spent => ({ usd: 0 }),
    (gone) => {
      if (gone.usd >= (agent.top?.[0] ?? 0)) agent.top = null
    },
  )

const runaway = (session: Session, call: Seen, names: Names, limit: number): Candidate => {
  const spent = session.cost / 1e12
  const hours = Math.max(1 / 60, (call.at_us - session.begun_us) / HOUR_US)
  const name = names.session ?? ''
  const against =
    session.usual > 0
      ? `${(spent / session.usual).toFixed(1)} times what 99 of 100 sessions of ${names.agent} stay under (${show(session.usual)})`
      : `beyond the ${show(limit)} that a session may spend while ${names.agent} has too few to compare`
  return {
    kind: 'runaway-session',
    owner: names.owner,
    subject: name,
    since_us: session.begun_us,
    excess: amountOf(spent - session.usual),
    hourly: amountOf(spent / hours),
    score: spent / Math.max(1e-9, limit),
    explanation: { dimension: 'session', value: name, cost: amountOf(spent), share: 1 },
    evidence: [...session.evidence],
    message: `session ${name} has spent ${show(spent)} in ${session.calls} calls, ${against}`,
    trace: session,
  }
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
  call: Seen,
  names: Names,
  settings: DetectSettings,
  factor: number,
): Candidate | undefined => {
  if (names.session === undefined || call.cost === null) return undefined
  const agent = sessions.agents.touch(names.agent_key, AGENTS, (): Agent => ({ spent: new Recent(), top: null }))
  const session = sessions.open.touch(names.session_key, settings.bounds.sessions, () => openSession(call.at_us))
  if (session.calls % LOOKED_UP_EVERY === 0) session.usual = percentile(agent, names.session)
  session.calls += 1
  session.cost += call.cost
  if (call.cost > session.dearest) session.dearest = call.cost
  session.evidence = withEvidence(session.evidence, call)
  const spent = session.cost / 1e12
  const few = Math.max(1, 2 - agent.spent.size / 100)
  const multiple = settings.session_multiple * factor * few
  const limit = session.usual > 0 ? session.usual * multiple : dollars(settings.session_ceiling)
  const next = session.usual > 0 ? spent + session.dearest / 2e12 : spent
  if (next <= limit) {
    note(agent, spentOf(agent, names.session), spent)
    return undefined
  }
  note(agent, agent.spent.get(names.session) ?? spentOf(agent, names.session), limit)
  return call.at_us - session.told_us < AGAIN_US ? undefined : runaway(session, call, names, limit)
}
