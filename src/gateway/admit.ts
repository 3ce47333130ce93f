import { WeirError } from '../core/errors.ts'
import type { KeyRecord } from '../core/store.ts'
import { globMatches } from '../playbook/allocate/budget/glob.ts'
import { letIn } from './budgets/let-in.ts'
import type { Call } from './call.ts'
import { route } from './route.ts'
import type { World } from './world.ts'

const allowed = (globs: readonly string[], name: string): boolean =>
  globs.length === 0 || globs.some((glob) => globMatches(glob, name))

/** The endpoint is what stands on the receipt; a path that no wire knows is covered by no list. */
const checkEndpoint = (key: KeyRecord, { reading }: Call): void => {
  if (key.endpoints.length === 0 || (reading && allowed(key.endpoints, reading.endpoint))) return
  throw new WeirError(
    'forbidden',
    `The Weir key ${key.prefix} may not call this endpoint. It may call: ${key.endpoints.join(', ')}.`,
  )
}

/** Throws `forbidden` when the key's scopes do not cover the call. What cannot be read is not covered. */
const checkScopes = (key: KeyRecord, call: Call): void => {
  const provider = call.upstream?.name ?? ''
  if (!allowed(key.providers, provider))
    throw new WeirError(
      'forbidden',
      `The Weir key ${key.prefix} may not use the provider ${provider}. Ask for a key that may.`,
    )
  checkEndpoint(key, call)
  const { reading } = call
  if (key.models.length === 0 || reading?.billable === false) return
  if (reading?.model === undefined)
    throw new WeirError(
      'forbidden',
      `The Weir key ${key.prefix} may use certain models only, and this path names none. Ask for a key without that limit.`,
    )
  if (!allowed(key.models, reading.model))
    throw new WeirError(
      'forbidden',
      `The Weir key ${key.prefix} may not use this model. It may use: ${key.models.join(', ')}.`,
    )
}

/**
 * Lets a call in, or refuses it: key scopes, calls in flight, shutdown. Then finds where it may go, and reserves what it can
 * cost there at most in every budget that it is under, at the prices in force or, for models without a price, at the
 * ceiling. Waits only while a budget is being counted. Throws `forbidden`, `overloaded`, `shutting-down`, `bad-config` or
 * `budget-exhausted`.
 */
export const admit = (call: Call, world: World): Promise<void> | void => {
  if (world.load.shutting_down)
    throw new WeirError('shutting-down', 'This gateway is stopping. Try again: another one answers.', {
      retry_after_s: 1,
    })
  if (world.load.in_flight > world.settings.limits.concurrent_calls)
    throw new WeirError(
      'overloaded',
      `More than ${world.settings.limits.concurrent_calls} calls are in flight. Try again, or raise limits.concurrent_calls in weir.yaml.`,
      { retry_after_s: 1 },
    )
  if (call.key) checkScopes(call.key, call)
  call.stops = route(call, world)
  return letIn(call, world)
}
