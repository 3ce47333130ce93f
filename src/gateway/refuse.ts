import type { Answer, Call } from './call.ts'
import { asWeirError } from './shape.ts'
import type { World } from './world.ts'

/** The answer of a call that was refused before anything was dispatched, or that Weir itself failed on. */
export const refuse = (call: Call, thrown: unknown, world: World): Answer => {
  const error = asWeirError(thrown)
  if (error.code === 'internal') world.log.failure(call.id, error)
  return {
    outcome: call.client_gone ? 'client-gone' : error.code === 'internal' ? 'error' : 'refused',
    error,
    retryable: false,
  }
}
