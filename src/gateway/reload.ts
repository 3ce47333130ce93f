import { isDeepStrictEqual } from 'node:util'
import { WeirError } from '../core/errors.ts'
import type { Settings } from '../core/settings.ts'

/** Fields that calls, budgets and alerts are made of. All others are what the process is built on. */
const live: readonly string[] = [
  'providers',
  'routes',
  'policies',
  'services',
  'limits',
  'breaker',
  'on_client_gone',
  'prices',
  'budgets',
  'channels',
  'alerts',
] satisfies (keyof Settings)[]

/** Names of settings, as weir.yaml has them. */
export type Reloaded = Readonly<{
  /** Those that have changed, and are in force. */
  in_force: readonly string[]
  /** Those that have changed, and are in force from the next start. */
  next_start: readonly string[]
}>

export type Renewed = Reloaded & Readonly<{ settings: Settings }>

/** What becomes of the settings of a running gateway when others are asked for. Throws `bad-config` for another mode. */
export const renewed = (running: Settings, asked: Settings): Renewed => {
  if (running.mode !== asked.mode)
    throw new WeirError(
      'bad-config',
      `mode: ${asked.mode} decides who may call, so it is in force from a new start only: stop this gateway (mode: ${running.mode}) and start it again`,
      { field: 'mode' },
    )
  const names = [...new Set([...Object.keys(running), ...Object.keys(asked)])] as (keyof Settings)[]
  const changed = names.filter((name) => !isDeepStrictEqual(running[name], asked[name]))
  const in_force = changed.filter((name) => live.includes(name))
  return {
    settings: { ...running, ...Object.fromEntries(in_force.map((name) => [name, asked[name]])) },
    in_force,
    next_start: changed.filter((name) => !live.includes(name)),
  }
}
