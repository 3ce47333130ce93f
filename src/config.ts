import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { alertsOf, channelsOf, type StoredSecrets } from './config/alerts.ts'
import { budgetsOf, known, pricesOf, providersOf, routesOf } from './config/assemble.ts'
import { defaultSettings } from './config/defaults.ts'
import { fieldName, type Problem, readSource, type Source, type Tell } from './config/document.ts'
import { isLoopback } from './config/fields.ts'
import { configFile, readConfig } from './config/folder.ts'
import { policiesOf } from './config/levers.ts'
import { namesOf } from './config/match.ts'
import { check, configError } from './config/problems.ts'
import type { Providers } from './config/provider-entry.ts'
import { proxyOf } from './config/proxy.ts'
import { type File, file as fileSchema } from './config/schema.ts'
import { servicesOf } from './config/services.ts'
import type { Lever } from './core/lever.ts'
import type { Credentials } from './core/provider.ts'
import type { Proxies, Settings } from './core/settings.ts'
import { levers } from './playbook/levers.ts'

export { defaultSettings } from './config/defaults.ts'
export { dataFolder } from './config/folder.ts'

/** Flags of the command line, as text; they go before the environment, which goes before the file. */
export type Flags = Readonly<
  Partial<
    Record<'config' | 'host' | 'port' | 'mode' | 'console' | 'data' | 'threads' | 'log_level', string | undefined>
  >
>

export type SettingsSource = Readonly<{
  flags?: Flags
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  /** The adapters that there are: `src/providers/index.ts`. */
  providers: Providers
  /** The levers that there are; the catalogue's where absent. */
  levers?: Readonly<Record<string, Lever>>
  /** Credentials that the store keeps, opened. */
  stored?: Readonly<Record<string, Credentials>>
  /** Secret fields of channels that the store keeps, opened. */
  stored_channels?: StoredSecrets
}>

const empty: Source = { value: {}, problems: [], line: () => undefined }

/** Fields that a flag or an environment variable may set, and the names of both. */
const outside = {
  host: ['--host', 'WEIR_HOST'],
  port: ['--port', 'WEIR_PORT'],
  mode: ['--mode', 'WEIR_MODE'],
  console: ['--console', 'WEIR_CONSOLE'],
  data: ['--data', 'WEIR_DATA'],
  threads: ['--threads', 'WEIR_THREADS'],
  log_level: ['--log-level', 'WEIR_LOG_LEVEL'],
} as const

type Outside = keyof typeof outside

/** What flags and environment set, checked by the same schema, with the name under which the user set it. */
const readOutside = (
  source: SettingsSource,
): Readonly<{ value: Pick<File, Outside>; proxy: Proxies | undefined; problems: readonly Problem[] }> => {
  const given: Partial<Record<Outside, string>> = {}
  const origin: Partial<Record<string, string>> = {}
  for (const field of Object.keys(outside) as Outside[]) {
    const [flag, variable] = outside[field]
    const flagged = source.flags?.[field]
    const value = flagged ?? (source.env[variable] || undefined)
    if (value === undefined) continue
    given[field] = value
    origin[field] = flagged === undefined ? variable : flag
  }
  const { value, problems } = check(fileSchema, { ...empty, value: given })
  const named = problems.map((problem) => ({ ...problem, field: origin[problem.field] ?? problem.field }))
  const { proxy, problems: of_proxy } = proxyOf(source.env)
  return { value: value ?? {}, proxy, problems: [...named, ...of_proxy] }
}

const merged = (file: File, over: Pick<File, Outside>, path: string | undefined, source: SettingsSource) => {
  const base = defaultSettings
  const folder = file.data === undefined || path === undefined ? undefined : resolve(dirname(path), file.data)
  return {
    host: over.host ?? file.host ?? base.host,
    port: over.port ?? file.port ?? base.port,
    mode: over.mode ?? file.mode ?? base.mode,
    console: over.console ?? file.console ?? base.console,
    ...known({ organisation: file.organisation }),
    data: over.data === undefined ? (folder ?? resolve(source.cwd, base.data)) : resolve(source.cwd, over.data),
    threads: over.threads ?? file.threads ?? base.threads,
    limits: { ...base.limits, ...known(file.limits ?? {}) },
    breaker: { ...base.breaker, ...known(file.breaker ?? {}) },
    on_client_gone: file.on_client_gone ?? base.on_client_gone,
    unpriced_ceiling: { ...base.unpriced_ceiling, ...known(file.unpriced_ceiling ?? {}) },
    reserve_output_tokens: file.reserve_output_tokens ?? base.reserve_output_tokens,
    log_level: over.log_level ?? file.log_level ?? base.log_level,
  }
}

/** Where problems lie: in the file, unless all of them are of flags or of variables. */
const originOf = (problems: readonly Problem[], outside: readonly Problem[], path: string | undefined): string => {
  if (path !== undefined && problems.some((problem) => !outside.includes(problem))) return path
  return problems.every(({ field }) => /^[A-Z_]+$/.test(field)) ? 'the environment' : 'the command line'
}

/**
 * Settings from flags, environment and weir.yaml, in this order, over the defaults. Everything is checked before anything
 * is said: the WeirError `bad-config` names every problem with its line, what was found and what to do.
 */
export const loadSettings = (source: SettingsSource): Settings => {
  const path = configFile({ cwd: source.cwd, env: source.env, config: source.flags?.config })
  const written = path === undefined ? empty : readSource(readConfig(path), source.env)
  const checked = written.problems.some(({ field }) => field === 'YAML')
    ? { value: undefined, problems: [] }
    : check(fileSchema, written)
  const over = readOutside(source)
  const problems: Problem[] = [...written.problems, ...checked.problems, ...over.problems]
  const tell: Tell = (where, message) => {
    const line = written.line(where)
    problems.push({ ...(line === undefined ? {} : { line }), field: fieldName(where), message })
  }

  const file = checked.value ?? {}
  const plain = merged(file, over.value, path, source)
  const sources = { mode: plain.mode, env: source.env, stored: source.stored ?? {} }
  const providers = providersOf(file, source.providers, sources, tell)
  const names = providers.map(({ name }) => name)
  const matchable = namesOf(names, source.providers)
  const written_at = path === undefined ? '' : statSync(path).mtime.toISOString().slice(0, 10)
  const channels = channelsOf(file, source.stored_channels ?? {}, tell)
  const channel_names = Object.keys(file.channels ?? {})
  const settings: Settings = {
    ...plain,
    providers,
    channels,
    alerts: alertsOf(file, channel_names, tell),
    routes: routesOf(file, matchable, tell),
    policies: policiesOf(file, source.levers ?? levers, matchable, tell),
    services: servicesOf(file, { providers: names, tell, base: path === undefined ? source.cwd : dirname(path) }),
    budgets: budgetsOf(file, names, tell),
    ...known({ proxy: over.proxy }),
    prices: pricesOf(file, { providers, written_at, tell }),
  }
  if (problems.length === 0 && settings.mode === 'pass-through' && !isLoopback(settings.host)) {
    tell(
      ['host'],
      `${settings.host} can be reached from other machines, and in pass-through mode anybody there could use the gateway: ` +
        'keep host: 127.0.0.1, or set mode: keys and give out keys with weir keys create',
    )
  }
  if (problems.length > 0) throw configError(originOf(problems, over.problems, path), problems)
  return settings
}
