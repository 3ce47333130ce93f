import { WeirError } from '../../core/errors.ts'
import { unboundedBy } from '../../playbook/allocate/budget/bound.ts'
import type { Amounts } from '../../playbook/allocate/budget/charge.ts'
import type { Facts } from '../../playbook/allocate/budget/counter.ts'
import type { Attempt, Call, Stop } from '../call.ts'
import { worstCaseOf } from '../cost.ts'
import { bodyNamesTwice } from '../names-twice.ts'
import { boundedOr } from '../receipt.ts'
import { stopsAt } from '../route.ts'
import type { World } from '../world.ts'
import type { Active } from './active.ts'
import { isHold, type Refusal } from './known.ts'
import { refusalError } from './refusal.ts'

/** What decides under which budgets an attempt is: the same that its receipt will say. */
const factsOf = ({ payer, reading, upstream }: Call, stop: Stop | undefined): Facts => ({
  team: payer.team,
  feature: payer.feature,
  key_id: payer.key_id,
  customer: payer.customer,
  user: payer.user,
  session: payer.session,
  agent: payer.agent,
  environment: payer.environment,
  tags: payer.tags,
  model_asked: boundedOr(reading?.model),
  provider: (stop?.upstream ?? upstream)?.name,
})

/** Requests that make nothing, so that they cost nothing even where no wire reads them. */
const readOnly = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE'])

/** Formats in which an answer is as long as the model likes, and that have no maximum to ask for. */
const endless = (call: Call): boolean => {
  const { reading } = call
  if (!reading?.billable || reading.max_output_tokens !== undefined || reading.max_output_field) return false
  return /^(chat|completions|responses|messages|generate|converse|invoke|interactions)/.test(reading.endpoint)
}

/** Why the worst case of a call cannot be known; undefined where it can. */
const unknowable = (call: Call): string | undefined => {
  const { reading, method } = call
  if (readOnly.has(method)) return undefined
  if (!reading) return 'what this endpoint costs is not metered'
  if (!reading.billable) return undefined
  const member = unboundedBy(call.json, reading.endpoint)
  if (member !== undefined) return `"${member}" lets the provider do work whose cost has no bound`
  if (endless(call)) return 'this API has no maximum of output'
  return bodyNamesTwice(call) ? 'the body names a key twice, of which the provider may read either' : undefined
}

/** Throws `forbidden` where a hard budget is to hold and nobody can know what the call may cost. */
const checkBounds = (call: Call, gates: readonly Active[]): void => {
  const strict = gates.find(({ counter }) => counter.budget.unbounded === 'refuse')
  const why = strict && unknowable(call)
  if (strict === undefined || why === undefined) return
  throw new WeirError(
    'forbidden',
    `The budget ${strict.counter.budget.name} is hard, and ${why}. Leave it out, or let such calls pass with unbounded: allow on the budget.`,
  )
}

type Need = Readonly<{ facts: Facts; amounts: Amounts }>

/** What an attempt at a target must have room for. Sets the call's reservation. */
const needOf = (call: Call, stop: Stop, number: number, at_us: number, world: World): Need => {
  const facts = factsOf(call, stop)
  const { usd, tokens } = worstCaseOf(call, stop, at_us, world, world.budgets.gates(facts).length > 0)
  if (usd === undefined) delete call.reserved
  else call.reserved = usd
  delete call.reserved_usd
  return { facts, amounts: { usd: usd ?? 0n, tokens: BigInt(tokens), calls: number === 1 ? 1n : 0n } }
}

/** Tries a target: the call holds what it needs there, or the refusal says why not. */
const tryStop = (call: Call, stop: Stop, number: number, at_us: number, world: World): Refusal | undefined => {
  const { facts, amounts } = needOf(call, stop, number, at_us, world)
  const found = world.budgets.reserve(facts, amounts, at_us)
  if (!isHold(found)) return found
  call.hold = found
  call.covers = stop
  return undefined
}

/** Where a budget that has no room says so, the first of its cheaper targets that has, and whose circuit lets it through. */
const fallBack = (call: Call, refusal: Refusal, number: number, at_us: number, world: World): boolean => {
  const budget = refusal.active?.counter.budget
  if (refusal.why !== 'exhausted' || !budget || budget.when_exhausted === 'refuse') return false
  const stops = stopsAt(budget.when_exhausted, call, world)
  const fits = (stop: Stop) =>
    !world.breakers.blocks(stop.target) && tryStop(call, stop, number, at_us, world) === undefined
  const fitting = stops.findIndex(fits)
  if (fitting < 0) return false
  call.stops = stops.slice(fitting)
  call.fell_back_from = budget.name
  return true
}

/** Why none of its cheaper targets took the call either; undefined where a budget names none. */
const noFallBack = (call: Call, { active }: Refusal, world: World): string | undefined => {
  const targets = active?.counter.budget.when_exhausted ?? 'refuse'
  if (targets === 'refuse') return undefined
  const able = stopsAt(targets, call, world)
  if (able.length > 0) {
    const blocked = able.every(({ target }) => world.breakers.blocks(target))
    const why = blocked ? 'failed repeatedly and is not called for now' : 'has no room either'
    return `Its fall-back (${able.map(({ target }) => target).join(', ')}) ${why}`
  }
  const names = targets.map(({ provider, model }) => (model === undefined ? provider : `${provider}/${model}`))
  return `Its fall-back (${names.join(', ')}) cannot take this call: that needs the wire ${call.wire?.name ?? 'of this path'}, a key of ours and a Weir key that covers it`
}

/** Holds what an attempt needs at its target, or at a cheaper one: then `stops` are others. Throws `budget-exhausted`. */
const reserve = (call: Call, stop: Stop, number: number, at_us: number, world: World): void => {
  const refusal = tryStop(call, stop, number, at_us, world)
  if (!refusal || fallBack(call, refusal, number, at_us, world)) return
  needOf(call, stop, number, at_us, world)
  throw refusalError(refusal, world, noFallBack(call, refusal, world))
}

/** Waits until what the call is under has been counted, then does it. */
const whenCounted = (call: Call, stop: Stop | undefined, world: World, act: () => void): Promise<void> | void => {
  const { budgets } = world
  if (!budgets.waits(factsOf(call, stop))) return act()
  return budgets.counted().then(() => whenCounted(call, stop, world, act))
}

/**
 * Reserves the worst case of a call's first attempt in every budget that it is under; where a budget has no room and names
 * cheaper targets, at the first of those that fits. Throws `budget-exhausted`, or `forbidden` where no bound can be known.
 */
export const letIn = (call: Call, world: World): Promise<void> | void => {
  const gates = world.budgets.gates(factsOf(call, undefined))
  if (gates.length > 0) {
    checkBounds(call, gates)
    if (call.reading?.billable) call.output_cap = world.settings.reserve_output_tokens
  }
  const [stop] = call.stops
  return whenCounted(call, stop, world, () => {
    if (stop) reserve(call, stop, 1, world.now_us(), world)
  })
}

/** Does the call hold what this attempt needs? */
const isCovered = (call: Call, attempt: Attempt, stop: Stop, world: World): boolean =>
  call.hold?.open === true && call.covers === stop && world.budgets.isCurrent(call.hold, attempt.started_at_us)

/**
 * Sees to it that an attempt is reserved for as its receipt will be charged: for its target, in the periods of its start.
 * Call it right before the attempt is opened in the journal. Where a budget has no room for it and names cheaper targets,
 * the call's `stops` and what it `covers` become those, and the attempt is not to be made. Throws `budget-exhausted`.
 */
export const cover = (call: Call, attempt: Attempt, stop: Stop, world: World): Promise<void> | void =>
  whenCounted(call, stop, world, () => {
    const { budgets } = world
    if (!isCovered(call, attempt, stop, world)) {
      if (call.hold) budgets.release(call.hold)
      reserve(call, stop, attempt.number, attempt.started_at_us, world)
    }
    if (call.hold && call.covers === stop) budgets.name(call.hold, attempt.receipt_id)
  })
