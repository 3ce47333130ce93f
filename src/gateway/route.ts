import { WeirError } from '../core/errors.ts'
import { globMatches } from '../core/glob.ts'
import type { RouteMatch, Target } from '../core/settings.ts'
import type { Call, Stop } from './call.ts'
import { coversStop } from './scope.ts'
import type { Upstream, World } from './world.ts'

const matches = (match: RouteMatch, call: Call): boolean => {
  const facts: Readonly<Record<keyof RouteMatch, string | undefined>> = {
    model: call.reading?.model,
    wire: call.wire?.name,
    team: call.payer.team,
    feature: call.payer.feature,
    environment: call.payer.environment,
  }
  for (const name of Object.keys(match) as (keyof RouteMatch)[]) {
    const glob = match[name]
    if (glob !== undefined && !globMatches(glob, facts[name] ?? '')) return false
  }
  return true
}

const stop = (upstream: Upstream, asked: string | undefined, model: string | undefined): Stop => ({
  upstream,
  model: model ?? asked,
  renamed: model !== undefined && model !== asked,
  target: model === undefined ? upstream.name : `${upstream.name}/${model}`,
})

/** In keys mode the client's own key goes nowhere. A server of one's own, at its own address, may need none. */
const lacksKey = (upstream: Upstream, { settings }: World): boolean =>
  settings.mode === 'keys' && !upstream.has_credentials && upstream.settings.base_url === undefined

/** May this call be served by another provider than the one addressed? Only by one whose key is ours, on the same wire. */
const serves = (upstream: Upstream, call: Call, world: World): boolean => {
  if (upstream === call.upstream ? lacksKey(upstream, world) : !upstream.has_credentials) return false
  return call.wire !== undefined && upstream.wires.includes(call.wire)
}

const servable = (targets: readonly Target[], call: Call, world: World): readonly Stop[] => {
  const stops: Stop[] = []
  for (const { provider, model } of targets) {
    const target = world.upstreams.get(provider)
    if (target && serves(target, call, world)) stops.push(stop(target, call.reading?.model, model))
  }
  return stops
}

/** The targets among these that can serve the call, and that its key covers. */
export const stopsAt = (targets: readonly Target[], call: Call, world: World): readonly Stop[] =>
  servable(targets, call, world).filter((target) => coversStop(call.key, target))

const addressed = (upstream: Upstream, asked: string | undefined, world: World): Stop => {
  if (!lacksKey(upstream, world)) return stop(upstream, asked, undefined)
  throw new WeirError(
    'bad-config',
    `This gateway has no key for the provider ${upstream.name}. An administrator adds one with: weir keys provider set ${upstream.name}`,
  )
}

/**
 * The targets of a call in order: those of the first route that matches, or the provider that was addressed. Targets
 * that do not speak the call's wire, would get another provider's key, or lie outside of the Weir key's scopes, are left
 * out. Throws `bad-config` when a route matches and none of its targets can serve the call, or when the provider that was
 * addressed has no key; `forbidden` when some targets can serve it and the Weir key covers none of them.
 */
export const route = (call: Call, world: World): readonly Stop[] => {
  const { upstream, reading } = call
  if (!upstream) return []
  const asked = reading?.model
  const found = reading?.billable ? world.settings.routes.find(({ match }) => matches(match, call)) : undefined
  if (!found) return [addressed(upstream, asked, world)]
  const stops = stopsAt(found.targets, call, world)
  if (stops.length > 0) return stops
  const uncovered = servable(found.targets, call, world)
  if (uncovered.length > 0)
    throw new WeirError(
      'forbidden',
      `A route sends this call to ${uncovered.map(({ target }) => target).join(', ')}, and the Weir key ${call.key?.prefix} covers none of them. Ask for a key that does.`,
    )
  throw new WeirError(
    'bad-config',
    `A route matches this call, but none of its targets (${found.targets.map(({ provider }) => provider).join(', ')}) can serve it: each needs the wire ${call.wire?.name} and, unless it was addressed itself, a key in weir.yaml.`,
  )
}
