import { globMatches } from '../../core/glob.ts'
import type { Lever, LeverMatch, LeverPolicy } from '../../core/lever.ts'
import { digest } from '../prompt.ts'
import type { Active, Arm, Choice, Facts } from './pulling.ts'

const matches = (match: LeverMatch, facts: Facts): boolean => {
  for (const name in match) {
    const glob = match[name as keyof LeverMatch]
    if (glob !== undefined && !globMatches(glob, facts[name as keyof LeverMatch] ?? '')) return false
  }
  return true
}

const chosenFrom = (ordered: readonly Lever[], matching: readonly LeverPolicy[]): Choice => {
  const active = ordered.flatMap((lever): Active[] => {
    const found = matching.find(({ levers }) => Object.hasOwn(levers, lever.name))?.levers[lever.name]
    return found === undefined || found.mode === 'off' ? [] : [{ lever, mode: found.mode, settings: found.settings }]
  })
  return { active, holdout: matching.find(({ holdout }) => holdout > 0) }
}

/** Sets of policies whose choice is remembered; most configurations have a handful. */
const MOST_SETS = 1000

/**
 * Which levers have a say in a call, in the order of their turns: of the policies that match, the first that names a lever
 * decides for it. The first with a holdout decides over the arm. Calls that match the same policies share the choice.
 */
export const openPolicies = (ordered: readonly Lever[], policies: readonly LeverPolicy[]) => {
  const known = new Map<string, Choice>()
  return (facts: Facts): Choice => {
    let set = ''
    for (let at = 0; at < policies.length; at++) if (matches(policies[at]?.match ?? {}, facts)) set += `${at} `
    const found = known.get(set)
    if (found) return found
    const chosen = chosenFrom(
      ordered,
      policies.filter(({ match }) => matches(match, facts)),
    )
    if (known.size < MOST_SETS) known.set(set, chosen)
    return chosen
  }
}

const SCALE = 0x1_0000_0000

/** The arm of a session, by its hash: the same session is in the same arm at every call, thread and replica. */
export const armOf = ({ experiment, holdout }: LeverPolicy, unit: string): Arm => {
  const place = Number.parseInt(digest(`${experiment}\u0000${unit}`).slice(0, 8), 16) / SCALE
  return { experiment, arm: place < holdout ? 'holdout' : 'levers' }
}

/** Levers that the caller waives: `off`, or names and plays with a minus, e.g. `-cache/exact, -compact`. */
export const waived = (header: string | undefined): ((name: string) => boolean) => {
  if (header === undefined) return () => false
  const words = header.split(',').map((word) => word.trim().toLowerCase())
  if (words.includes('off')) return () => true
  const names = new Set(words.filter((word) => word.startsWith('-')).map((word) => word.slice(1)))
  return (name) => names.has(name) || names.has(name.slice(0, name.indexOf('/')))
}
