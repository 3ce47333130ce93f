import type { Chosen, Kit, Lever, LiveCall, Pulled, Schema } from '../../src/core/lever.ts'
import type { CacheRule, TokenRates } from '../../src/core/past.ts'
import type { Block, BodyFields, Outline, PartKind } from '../../src/core/prompt.ts'
import type { Part } from '../../src/core/wire.ts'
import { linkParts } from '../../src/playbook/measure/prefixes.ts'
import { hash } from '../measure/readings.ts'

/** A message as OpenAI's chat API says it. */
export type Message = Readonly<{
  role: 'system' | 'user' | 'assistant' | 'tool'
  content?: string | null
  tool_calls?: readonly Readonly<{ id: string; function: Readonly<{ name: string; arguments: string }> }>[]
  tool_call_id?: string
  name?: string
}>

export type Prompt = Readonly<{
  messages: readonly Message[]
  tools?: readonly Readonly<{ name: string }>[]
  fields?: BodyFields
}>

const common = { replaceable: true, removable: false, markable: false }

const callsOf = ({ tool_calls = [] }: Message) => tool_calls.map((call) => call.function)

const blocksOf = (message: Message, place: Pick<Block, 'part' | 'kind' | 'role' | 'message'>): Block[] => {
  const { content, name, tool_call_id, tool_calls = [] } = message
  const form = message.role === 'tool' ? 'tool-result' : 'text'
  const named = {
    ...(name === undefined ? {} : { name }),
    ...(tool_call_id === undefined ? {} : { tool_call: tool_call_id }),
  }
  const text: Block[] = content ? [{ ...common, ...place, form, text: content, ...named }] : []
  const calls = tool_calls.map(({ id, function: { name, arguments: text } }): Block => {
    return { ...common, ...place, form: 'tool-call', text, name, tool_call: id }
  })
  return [...text, ...calls]
}

const kindOf = (message: Message, isHistory: boolean): PartKind => {
  if (message.role === 'system') return 'system'
  if (isHistory) return 'history'
  return message.role === 'tool' ? 'context' : 'user'
}

/** A prompt as levers see it: a part a message, a block a content and a tool call. */
export const outlineOf = ({ messages, tools = [], fields = {} }: Prompt) => {
  const parts: Part[] = tools.length === 0 ? [] : [{ kind: 'tools', text: JSON.stringify(tools) }]
  const blocks: Block[] = tools.map((tool) => ({
    ...{
      ...common,
      part: 0,
      kind: 'tools',
      form: 'tool',
      role: 'tools',
      message: -1,
      replaceable: false,
      removable: true,
    },
    ...{ text: JSON.stringify(tool), name: tool.name },
  }))
  const last = messages.findLastIndex(({ role }) => role === 'assistant')
  for (const [index, message] of messages.entries()) {
    const kind = kindOf(message, index <= last)
    blocks.push(...blocksOf(message, { part: parts.length, kind, role: message.role, message: index }))
    const calls = callsOf(message).map((call) => call.name + call.arguments)
    parts.push({ kind, text: [message.content ?? '', ...calls].join('\n') })
  }
  const outline: Outline = { blocks, fields, most_marks: 0 }
  return { outline, parts }
}

const BYTES_PER_TOKEN = 4

export type CallOptions = Partial<
  Pick<LiveCall, 'call_id' | 'tenant' | 'circle' | 'max_output_tokens' | 'response_format'>
>

/** A live call with this prompt, `at_s` seconds after the start of time. */
export const callOf = (prompt: Prompt, at_s = 0, options: CallOptions = {}): LiveCall => {
  const { outline, parts } = outlineOf(prompt)
  const { chain, template, conversation } = linkParts(parts, (text) => text)
  return {
    call_id: `call at ${at_s}`,
    at_us: at_s * 1e6,
    circle: { wire: 'openai-chat', endpoint: 'chat', feature: 'support' },
    tenant: 'acme',
    scope: '',
    account: 'ours',
    provider: 'openai',
    model: 'gpt-6-sol',
    stream: false,
    fingerprints: {
      ...(template === undefined ? {} : { template }),
      ...(conversation === undefined ? {} : { conversation }),
    },
    chain: {
      hashes: chain.hashes,
      tokens: chain.characters.map((characters) => Math.floor(characters / BYTES_PER_TOKEN)),
    },
    outline: () => outline,
    ...options,
  }
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
