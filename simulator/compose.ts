import { promptHash } from './prompt.ts'
import { type Random, seeded } from './random.ts'
import { instance } from './schema.ts'
import { tokenize } from './tokens.ts'
import type { Ask, Reply, ToolCall, World } from './types.ts'

/** Each is one token of o200k with its leading space, so a text of n words is n tokens. */
const WORDS =
  'the a of to and in for with on by from as at that this it is are can will more new good first next same other such each most part way time work team data case plan cost price model value order state water river level point system process result report number change market customer product service support request answer question detail reason example summary week month year day list text line page file code test check note key rule set run use make find keep show give take need help start open close move add read write send build'.split(
    ' ',
  ) as [string, ...string[]]

const THOUGHT_SHOWN = 160

type Composer = Pick<World, 'seed' | 'says'>

/** What the prompt itself asks of the simulator, e.g. `sim:output=40`. */
export const directive = (ask: Pick<Ask, 'latest' | 'opening'>, name: string): number | undefined => {
  const match = new RegExp(`\\bsim:${name}=(\\d+)`).exec(`${ask.latest}\n${ask.opening}`)
  return match ? Number(match[1]) : undefined
}

const words = (count: number, random: Random): string[] =>
  Array.from({ length: count }, (_, i) => {
    const word = random.pick(WORDS)
    const start = i === 0 || i % 14 === 0 ? word.charAt(0).toUpperCase() + word.slice(1) : word
    return i === 0 ? start : ` ${start}`
  })

/** How long an answer is follows from how it was asked for. */
const lengthOf = (ask: Ask, random: Random): number => {
  const told = directive(ask, 'output')
  if (told !== undefined) return told
  if (/one word|single word|label only|only the (label|category|intent)/i.test(ask.latest)) return random.integer(1, 2)
  if (/in detail|detailed|thorough|comprehensive|exhaustive|long-form/i.test(ask.latest))
    return random.integer(450, 950)
  if (/brief|concise|short|one sentence/i.test(ask.latest)) return random.integer(12, 36)
  return random.integer(40, 160)
}

const EFFORT: Readonly<Record<string, readonly [number, number]>> = {
  none: [0, 0],
  minimal: [0, 1],
  low: [1, 4],
  medium: [3, 14],
  high: [12, 36],
  xhigh: [30, 64],
  max: [40, 90],
}

/** Reasoning tokens, in steps of 64 as OpenAI bills them. */
const reasoningOf = (ask: Ask, random: Random): number => {
  const told = directive(ask, 'reasoning')
  const budget = ask.reasoning_budget ?? Number.POSITIVE_INFINITY
  const asked = ask.effort !== undefined || ask.reasoning_budget !== undefined
  if (ask.model.reasons === 'never' || (ask.model.reasons === 'when-asked' && !asked)) return 0
  if (told !== undefined) return Math.min(told, budget)
  const [low, high] = EFFORT[ask.effort ?? 'medium'] ?? [3, 14]
  return Math.min(64 * random.integer(low, high), budget)
}

const jsonPieces = (json: string): string[] => json.match(/[\s\S]{1,6}/gu) ?? []

const callsOf = (ask: Ask, random: Random, scaled: (count: number) => number): ToolCall[] => {
  const { tool_choice: choice, tools } = ask
  if (tools.length === 0 || choice === 'none') return []
  const forced = choice === 'required' || typeof choice === 'object'
  // A conversation takes as many rounds of tools as its opening says: an agent's loop ends, and always at the same place.
  const rounds = directive(ask, 'steps') ?? seeded(ask.opening, ask.model.id).integer(0, 4)
  if (ask.rounds >= rounds && !(forced && ask.rounds === 0)) return []
  const named = typeof choice === 'object' ? tools.filter((tool) => tool.name === choice.name) : tools
  const count = ask.parallel ? (directive(ask, 'calls') ?? (random.chance(0.25) ? 2 : 1)) : 1
  return Array.from({ length: Math.max(1, count) }, () => {
    const tool = named[random.integer(0, named.length - 1)] ?? tools[0]
    const json = JSON.stringify(tool ? instance(tool.schema, random) : {})
    return { name: tool?.name ?? 'unknown', json, pieces: jsonPieces(json), tokens: scaled(tokenize(json).length + 12) }
  })
}

/** What is told to be the answer to a question (the option `says`), in pieces as they are streamed. */
const told = (text: string): { pieces: string[]; tokens: number } => ({
  pieces: text.match(/\s*\S+/g) ?? [],
  tokens: tokenize(text).length,
})

const saidOf = (
  ask: Ask,
  random: Random,
  calls: readonly ToolCall[],
  says: World['says'],
): { pieces: string[]; tokens: number } => {
  const answer = calls.length === 0 ? says?.(ask.latest) : undefined
  if (answer !== undefined) return told(answer)
  if (calls.length > 0) {
    const pieces = random.chance(0.4) ? words(random.integer(6, 18), random) : []
    return { pieces, tokens: pieces.length }
  }
  if (ask.schema) {
    const json = JSON.stringify(instance(ask.schema, random))
    return { pieces: jsonPieces(json), tokens: tokenize(json).length }
  }
  const pieces = words(lengthOf(ask, random), random)
  return { pieces, tokens: pieces.length }
}

const stopAt = (pieces: readonly string[], stops: readonly string[]): { pieces: readonly string[]; found?: string } => {
  if (stops.length === 0) return { pieces }
  const whole = pieces.join('')
  const hits = stops.filter((stop) => stop !== '' && whole.includes(stop))
  const found = hits.sort((a, b) => whole.indexOf(a) - whole.indexOf(b))[0]
  if (found === undefined) return { pieces }
  return { pieces: [whole.slice(0, whole.indexOf(found))].filter((piece) => piece !== ''), found }
}

/**
 * The answer to a request: the same seed, model and prompt give the same answer, whatever was asked before. Texts in the
 * latest or first user message steer it: `sim:output=N` and `sim:reasoning=N` tokens, `sim:steps=N` rounds of tools,
 * `sim:calls=N` parallel calls.
 */
export const compose = (ask: Ask, { seed, says }: Composer, choice = 0): Reply => {
  const random = seeded(seed, ask.model.id, promptHash(ask.blocks), choice)
  const scaled = (count: number): number => Math.round(count * ask.model.ratio)
  const limit = ask.max_output ?? Number.POSITIVE_INFINITY
  const reasoning = Math.min(reasoningOf(ask, random), limit)
  const thought = words(Math.min(reasoning, THOUGHT_SHOWN), random)
  const calls = callsOf(ask, random, scaled)
  const full = saidOf(ask, random, calls, says)
  const stopped = stopAt(full.pieces, ask.stop)
  const saidTokens = scaled(stopped.found === undefined ? full.tokens : tokenize(stopped.pieces.join('')).length)
  const callTokens = calls.reduce((total, call) => total + call.tokens, 0)
  const room = limit - reasoning
  const base = { thought, reasoning_tokens: reasoning }
  if (saidTokens + callTokens > room) {
    const share = saidTokens === 0 ? 0 : Math.min(1, room / saidTokens)
    const said = stopped.pieces.slice(0, Math.floor(stopped.pieces.length * share))
    return { ...base, said, calls: [], finish: 'length', visible_tokens: room }
  }
  const visible_tokens = saidTokens + callTokens
  if (calls.length > 0) return { ...base, said: full.pieces, calls, finish: 'tools', visible_tokens }
  if (stopped.found === undefined) return { ...base, said: stopped.pieces, calls, finish: 'stop', visible_tokens }
  return { ...base, said: stopped.pieces, calls, finish: 'stop-sequence', stop_sequence: stopped.found, visible_tokens }
}
