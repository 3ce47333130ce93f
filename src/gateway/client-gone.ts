import { WeirError } from '../core/errors.ts'
import type { Flow } from './call.ts'

/** What to do with a provider's answer when its client has gone: as the settings say, or as the provider bills. */
const policyOf = (flow: Flow): 'cancel' | 'drain' => {
  if (flow.world.load.shutting_down) return 'cancel'
  const { on_client_gone } = flow.world.settings
  return on_client_gone === 'provider' ? flow.attempt.upstream.adapter.traits.on_client_gone : on_client_gone
}

/** At shutdown it is we who drop the client, and the provider did nothing wrong. */
const reasonOf = ({ world }: Flow): WeirError | undefined =>
  world.load.shutting_down
    ? new WeirError(
        'shutting-down',
        'This gateway stopped before the answer was complete. Try again: another one answers.',
      )
    : undefined

/**
 * The client has gone. Where cancelling stops the bill, the provider is cancelled at once; where it does not, the rest is
 * read, under a cap of time and bytes, so that the provider's own usage stands on the receipt.
 */
export const clientGone = (flow: Flow): void => {
  if (flow.ended || (flow.settled && !flow.released)) return
  if (flow.released || policyOf(flow) === 'cancel') {
    flow.abort?.(reasonOf(flow))
    return
  }
  flow.drain_timer ??= setTimeout(() => flow.abort?.(), flow.world.settings.limits.drain_ms)
  // A slow client may have paused the provider.
  flow.resume?.()
}
