import type { Chosen, Kit, Lever, LiveCall, Pulled, Schema } from '../../src/core/lever.ts'
import type { CacheRule, TokenRates } from '../../src/core/past.ts'
import type { Outline } from '../../src/core/prompt.ts'
import { linkParts } from '../../src/playbook/measure/prefixes.ts'
import { applyEdits } from '../../src/wires/framing/json-bytes.ts'
import { wire } from '../../src/wires/openai-chat.ts'
import { hash } from '../measure/readings.ts'

/** A message as OpenAI's chat API says it. */
export type Message = Readonly<{
  role: 'system' | 'user' | 'assistant' | 'tool'
  content?: string | readonly Readonly<Record<string, unknown>>[] | null
  tool_calls?: readonly Readonly<{ id: string; function: Readonly<{ name: string; arguments: string }> }>[]
  tool_call_id?: string
  name?: string
}>

type Tool = Readonly<{ name: string; description?: string; parameters?: unknown }>

/** A request's body: OpenAI's chat, or with `system` Anthropic's messages. */
export type Prompt = Readonly<{
  messages: readonly Message[]
  tools?: readonly Tool[]
  more?: Readonly<Record<string, unknown>>
}>

const bodyOf = ({ messages, tools = [], more = {} }: Prompt) => ({
  model: 'gpt-6-sol',
  ...(tools.length === 0 ? {} : { tools: tools.map((tool) => ({ type: 'function', function: tool })) }),
  messages,
  ...more,
})

if (!wire.editor) throw new Error('the wire has no editor')
const editor = wire.editor
const encoder = new TextEncoder()
const bodies = new WeakMap<LiveCall, Uint8Array>()

const BYTES_PER_TOKEN = 4

export type CallOptions = Partial<
  Pick<LiveCall, 'call_id' | 'tenant' | 'circle' | 'max_output_tokens' | 'response_format'>
>

/** A live call with this prompt, `at_s` seconds after the start of time, as the wire reads it. */
export const callOf = (prompt: Prompt, at_s = 0, options: CallOptions = {}): LiveCall => {
  const body = encoder.encode(JSON.stringify(bodyOf(prompt)))
  const json: unknown = JSON.parse(new TextDecoder().decode(body))
  const request = { method: 'POST', path: '/v1/chat/completions', query: '', headers: {}, body, json }
  const reading = wire.read(request, {})
  const { chain, template, conversation } = linkParts(reading.parts, (text) => text)
  let outline: Outline | undefined
  const call: LiveCall = {
    call_id: `call at ${at_s}`,
    at_us: at_s * 1e6,
    circle: { wire: 'openai-chat', endpoint: 'chat', feature: 'support' },
    tenant: 'acme',
    in_conversation: false,
    scope: '',
    account: 'ours',
    provider: 'openai',
    model: 'gpt-6-sol',
    stream: false,
    variant: '',
    names_twice: false,
    beside: () => undefined,
    asAsked: (answer) => answer,
    ...(reading.max_output_tokens === undefined ? {} : { max_output_tokens: reading.max_output_tokens }),
    ...(reading.response_format === undefined ? {} : { response_format: reading.response_format }),
    fingerprints: {
      ...(template === undefined ? {} : { template }),
      ...(conversation === undefined ? {} : { conversation }),
    },
    chain: {
      hashes: chain.hashes,
      tokens: chain.characters.map((characters) => Math.floor(characters / BYTES_PER_TOKEN)),
    },
    outline: () => (outline ??= editor.outline(json, reading.parts)),
    ...options,
  }
  bodies.set(call, body)
  return call
}

/** The body that the provider gets, parsed: the wire's own edits made in the call's bytes. */
export const bodyAfter = (call: LiveCall, pulled: Pulled) => {
  const body = bodies.get(call) ?? new Uint8Array()
  const json: unknown = JSON.parse(new TextDecoder().decode(body))
  const edits = pulled.do === 'change' ? editor.edits(body, json, pulled.changes) : []
  return JSON.parse(new TextDecoder().decode(applyEdits(body, edits))) as ReturnType<typeof bodyOf>
}

export const rates: TokenRates = {
  fresh: 1000,
  cache_read: 100,
  cache_write: { '5m': 1250, '30m': 1250 },
  output: 5000,
}

export const automatic: CacheRule = {
  style: 'automatic',
  minimum_tokens: 0,
  step_tokens: 1,
  ttls: ['5m'],
  default_ttl: '5m',
  most_marks: 0,
  lookback_blocks: 0,
  source: 'a test',
}

/** The doors of a lever: a real memory, prices of 1 to 10 for reads, and an automatic cache of five minutes. */
export const kitOf = (more: Partial<Kit> = {}): Kit => {
  const memory = new Map<string, unknown>()
  return {
    now_us: () => 0,
    random: () => 0.5,
    hash,
    tokens: (text) => Math.ceil(text.length / BYTES_PER_TOKEN),
    rates: () => rates,
    cache_rule: () => automatic,
    converts: () => false,
    memory: {
      get: <T>(partition: string, key: string) => memory.get(`${partition}\n${key}`) as T | undefined,
      set: (partition, key, value) => memory.set(`${partition}\n${key}`, value),
    },
    ...more,
  }
}

/** A lever's settings as they are when nothing is set, but for these. */
export const chosen = <S extends Schema>(lever: Lever<S>, more: Partial<Chosen<S>> = {}): Chosen<S> => ({
  ...(Object.fromEntries(
    Object.entries(lever.settings).map(([name, setting]) => [name, setting.default]),
  ) as Chosen<S>),
  ...more,
})

/** The texts of the blocks as the provider would get them; undefined for one that is left out. */
export const sent = (call: LiveCall, pulled: Pulled): (string | undefined)[] => {
  const texts: (string | undefined)[] = (call.outline()?.blocks ?? []).map(({ text }) => text)
  if (pulled.do !== 'change') return texts
  for (const change of pulled.changes) {
    if (change.do === 'replace') texts[change.block] = change.text
    if (change.do === 'remove') texts[change.block] = undefined
  }
  return texts
}

/** The prompts of a conversation, one for each answer that the model gave: what was said before it. */
export const turnsOf = (messages: readonly Message[]): Prompt[] =>
  messages.flatMap((message, index) => (message.role === 'assistant' ? [{ messages: messages.slice(0, index) }] : []))
