import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { LeverPolicy } from '../../core/lever.ts'
import { digest } from '../prompt.ts'

type Kept = Readonly<Record<string, Readonly<{ as: string; since_us: number }>>>

const read = (path: string): Kept => {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof value === 'object' && value !== null ? (value as Kept) : {}
  } catch {
    return {}
  }
}

/** How each lever that is on anywhere works, over all policies. */
const workings = (policies: readonly LeverPolicy[]): Map<string, string> => {
  const said = new Map<string, string>()
  for (const { match, levers, holdout } of policies)
    for (const [name, { mode, settings }] of Object.entries(levers))
      if (mode === 'on') said.set(name, `${said.get(name) ?? ''}${JSON.stringify([match, settings, holdout])}`)
  return said
}

/**
 * Since when each lever works as the policies say now, µs since the epoch: kept in a file, so that a restart is no change. A
 * lever that was just turned on must know it: caches hold prompts as they were before. A file that cannot be read or
 * written reads as turned on now, which costs nothing but a few minutes of caution.
 */
export const leversSince = (path: string, policies: readonly LeverPolicy[], now_us: number): Record<string, number> => {
  const kept = read(path)
  const next: Record<string, Kept[string]> = {}
  for (const [name, working] of workings(policies)) {
    const as = digest(working)
    const before = kept[name]
    next[name] = before?.as === as && before.since_us <= now_us ? before : { as, since_us: now_us }
  }
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${JSON.stringify(next)}\n`)
  } catch {
    // Levers fail open: without the file they are taken to be new at every start.
  }
  return Object.fromEntries(Object.entries(next).map(([name, { since_us }]) => [name, since_us]))
}
