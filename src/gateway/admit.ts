import { WeirError } from '../core/errors.ts'
import { letIn } from './budgets/let-in.ts'
import type { Call } from './call.ts'
import { route } from './route.ts'
import { checkScopes } from './scope.ts'
import type { World } from './world.ts'

/**
 * Lets a call in, or refuses it: key scopes, what is contained, calls in flight, shutdown. Then finds where it may go, and reserves what it can
 * cost there at most in every budget that it is under, at the prices in force or, for models without a price, at the
 * ceiling. Waits only while a budget is being counted. Throws `forbidden`, `rate-limited`, `overloaded`, `shutting-down`, `bad-config` or
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
  world.restraint.check(call)
  call.stops = route(call, world)
  return letIn(call, world)
}
