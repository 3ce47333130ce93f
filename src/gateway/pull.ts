import { WeirError } from '../core/errors.ts'
import type { Kit, Lever, Pulled } from '../core/lever.ts'
import type { Change, Outline } from '../core/prompt.ts'
import type { Answer, Call } from './call.ts'
import { give } from './give.ts'
import { Live } from './levers/live.ts'
import { armOf, waived } from './levers/policies.ts'
import type { Active, Facts, Levers, Pulling, Turn } from './levers/pulling.ts'
import { asWeirError } from './shape.ts'
import type { Upstream, World } from './world.ts'

/** How long a lever may take where it does not say, ms. */
const PATIENCE_MS = 100

const factsOf = ({ payer, wire, reading, upstream }: Call): Facts => ({
  team: payer.team,
  feature: payer.feature,
  customer: payer.customer,
  key: payer.key_id,
  environment: payer.environment,
  wire: wire?.name,
  endpoint: reading?.endpoint,
  provider: upstream?.name,
  model: reading?.model,
})

/** Begins the levers' work on a call; undefined where no policy has a say in it. */
const begin = (call: Call, upstream: Upstream, levers: Levers, world: World): Pulling | undefined => {
  const { active, holdout } = levers.choose(factsOf(call))
  if (active.length === 0 && !holdout) return undefined
  const arm = holdout && armOf(holdout, call.payer.session ?? call.id)
  const isWaived = waived(call.headers['x-weir-levers'])
  const changes: Change[] = []
  const turns = active.map((one): Turn => {
    if (isWaived(one.lever.name)) return { active: one, skipped: 'waived by the caller', waived: true }
    return { active: arm?.arm === 'holdout' ? { ...one, mode: 'observe' } : one }
  })
  const wants_answer = turns.reduce(
    (most, { active: { lever }, skipped }) => (skipped ? most : Math.max(most, lever.traits.wants_answer ?? 0)),
    0,
  )
  const live = new Live(call, upstream, changes, world)
  return { live, turns, arm, model: call.stops[0]?.model, changes, edits: [], wants_answer }
}

const late = Symbol('late')

/** What the lever decides, or `late` when it takes longer than it may. */
const inTime = (pulled: Promise<Pulled>, patience_ms: number, passed: () => void): Promise<Decided> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      passed()
      resolve(late)
    }, patience_ms)
    pulled.then(resolve, reject).finally(() => clearTimeout(timer))
  })

const patienceOf = ({ traits: { patience_ms = PATIENCE_MS, embeds } }: Lever, { embedder }: Kit): number =>
  patience_ms + (embeds && embedder ? embedder.deadline_ms : 0)

type Decided = Pulled | typeof late

const decide = ({ lever, settings, mode }: Active, pulling: Pulling, levers: Levers): Decided | Promise<Decided> => {
  const kit = levers.kitOf(lever, mode)
  const pulled = lever.pull(pulling.live, settings, kit)
  return pulled instanceof Promise
    ? inTime(pulled, patienceOf(lever, kit), () => kit.passed?.add(pulling.live))
    : pulled
}

/** What the step works with. */
type Step = Readonly<{ call: Call; pulling: Pulling; levers: Levers; world: World }>

/** Notes what a lever decided; with it the prompt as it found that, where it took something out that is yet to be counted. */
const decided = (turn: Turn, what: Decided, outlineOf: () => Outline | undefined): void => {
  if (what === late) turn.skipped = 'took longer than it may'
  else turn.pulled = what
  if (what !== late && what.do === 'change' && what.removed) turn.outline = outlineOf()
}

const failed = (turn: Turn, error: unknown, { call, world }: Step): void => {
  // That an embedder is left alone is said on each receipt; the log has the failures that led to it.
  if (!(error instanceof WeirError && error.code === 'circuit-open')) world.log.failure(call.id, asWeirError(error))
  // Words of ours hold no prompt; those of others might.
  turn.skipped = error instanceof WeirError ? error.message : 'failed'
}

/** Nobody waits for what is not applied: a lever that observes goes on beside the provider's work, and the receipt has what is ready by then. */
const observe = (turn: Turn, deciding: Promise<Decided>, step: Step): void => {
  const outline = step.pulling.live.outline()
  turn.skipped = 'was not ready when the call ended'
  const ready = (what: Decided): void => {
    delete turn.skipped
    decided(turn, what, () => outline)
    if (turn.outline) count(step)
  }
  deciding.then(ready).catch((error: unknown) => failed(turn, error, step))
}

/** One lever's turn; a promise where it is waited for. A lever that throws or dawdles is passed over: the call goes on as if it were not there. */
const take = (turn: Turn, step: Step): Promise<void> | undefined => {
  const { pulling, levers } = step
  const outlineOf = () => pulling.live.outline()
  try {
    const deciding = decide(turn.active, pulling, levers)
    if (!(deciding instanceof Promise)) decided(turn, deciding, outlineOf)
    else if (turn.active.mode === 'observe') observe(turn, deciding, step)
    else
      return deciding
        .then((what) => decided(turn, what, outlineOf))
        .catch((error: unknown) => failed(turn, error, step))
  } catch (error) {
    failed(turn, error, step)
  }
  return undefined
}

/** An answer in the model's place: what levers had changed before does not count, and the others have no turn. */
const answered = (turn: Turn, call: Call, pulling: Pulling, world: World): Answer | undefined => {
  const { pulled } = turn
  if (pulled?.do !== 'answer' || turn.active.mode !== 'on') return undefined
  const answer = give(call, pulled.answer, world)
  if (!answer) {
    turn.skipped = 'the stored answer cannot be read'
    return undefined
  }
  pulling.given = pulled.answer
  for (const other of pulling.turns)
    if (other !== turn && other.active.mode === 'on') other.skipped ??= 'another lever answered'
  return answer
}

/** The edits of all changes together. If they cannot be made, none is. */
const edit = (call: Call, pulling: Pulling, world: World): void => {
  if (pulling.changes.length === 0) return
  try {
    pulling.edits = pulling.live.edits(pulling.changes)
  } catch (error) {
    world.log.failure(call.id, asWeirError(error))
    for (const turn of pulling.turns) if (turn.pulled?.do === 'change') turn.skipped ??= 'its change could not be made'
  }
}

/**
 * No lever lets a call say more than was asked, or than is reserved for it in its budgets. What was asked is what the body says: of
 * several choices each has it, while the reading's maximum is that of all together.
 */
const within = (change: Change, { output_cap }: Call, { live }: Pulling): Change => {
  if (change.do !== 'set' || change.fields.max_output_tokens === undefined) return change
  const most = live.outline()?.fields.max_output_tokens ?? output_cap
  if (most === undefined || change.fields.max_output_tokens <= most) return change
  return { do: 'set', fields: { ...change.fields, max_output_tokens: most } }
}

/** Counts what was taken out, beside the provider's work. Without a count the levers' own reckoning stands. */
const count = ({ call, pulling, levers, world }: Step): void => {
  // Of the ratios the tokenizer's own: what the ledger learns is of a model's usual texts, and edited ones are denser.
  const { untaught } = world.tokens.ratios.of(call.upstream?.price_as ?? '', call.reading?.model ?? '')
  pulling.counting = (pulling.counting ?? Promise.resolve())
    .then(() => levers.recount(pulling, untaught))
    .catch((error: unknown) => world.log.failure(call.id, asWeirError(error)))
}

/** What a lever wants is in the call from here on; or its answer is. */
const heed = (turn: Turn, { call, pulling, world }: Step): Answer | undefined => {
  const { pulled, active } = turn
  if (pulled?.do === 'change' && active.mode === 'on')
    for (const change of pulled.changes) pulling.changes.push(within(change, call, pulling))
  return answered(turn, call, pulling, world)
}

type Given = Answer | undefined

/** The turns from `first` on. Nobody waits for a lever that decides at once: most do. */
const run = (step: Step, first = 0): Given | Promise<Given> => {
  const { call, pulling, world } = step
  for (let at = first; at < pulling.turns.length; at++) {
    const turn = pulling.turns[at]
    if (!turn || turn.skipped !== undefined) continue
    const waiting = take(turn, step)
    if (waiting) return waiting.then(() => heed(turn, step) ?? run(step, at + 1))
    const answer = heed(turn, step)
    if (answer) return answer
  }
  edit(call, pulling, world)
  if (pulling.turns.some(({ outline }) => outline)) count(step)
  return undefined
}

/**
 * The levers' step, in the order of the playbook: each may want the prompt different, or answer in the model's place. What
 * they want is in `call.pulling`; an answer is returned. Levers fail open: nothing here refuses a call.
 */
export const pull = (call: Call, world: World): Given | Promise<Given> => {
  const { levers } = world
  const { upstream, reading } = call
  if (!levers || !upstream || !reading?.billable) return undefined
  const pulling = begin(call, upstream, levers, world)
  if (!pulling) return undefined
  call.pulling = pulling
  return run({ call, pulling, levers, world })
}
