/** Calls with about 10 KB of body, as the gateway sees them: agents and chats that grow by a turn, and prompts that are all new. */

/** A kind of traffic: the `turn`-th request of its `nth` conversation. Each turn of a conversation adds to the one before. */
export type Kind = Readonly<{
  name: string
  wire: 'anthropic-messages' | 'openai-chat'
  /** Turns of a conversation; the prompt is new as a whole in the first. */
  turns: number
  /** How many of a hundred calls are of this kind. */
  share: number
  body: (nth: number, turn: number) => object
}>

const words =
  'the order was sent on monday and will arrive before the end of week unless rain holds up lorry near old bridge'.split(
    ' ',
  )

/** So many words that depend on the seed. */
const prose = (count: number, seed: number): string => {
  let state = Math.imul(seed + 1, 2654435761) >>> 0
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return words[state >>> 24] ?? `${words[(state >>> 8) % words.length]}`
  }).join(' ')
}

const rows = (count: number, seed: number, indent: number): string =>
  JSON.stringify(
    Array.from({ length: count }, (_, id) => ({
      id: seed * 31 + id,
      name: `row ${id} of ${seed}`,
      price: 12.5,
      tags: ['a', 'b'],
    })),
    null,
    indent,
  )

const tool = (name: string) => ({
  name,
  description: prose(30, name.length),
  input_schema: { type: 'object', properties: { q: { type: 'string', description: prose(8, 3) } } },
})
const tools = ['find', 'read', 'write', 'search_orders'].map(tool)

const instructions = prose(280, 1)

/** An agent's history: it calls a tool, gets rows as a pretty printer gives them, and now and then the same again. */
const anthropicAgent = (nth: number, turn: number): object[] =>
  Array.from({ length: turn }, (_, at): object[] => [
    {
      role: 'assistant',
      content: [
        { type: 'text', text: prose(20, nth * 7 + at) },
        { type: 'tool_use', id: `toolu_${nth}_${at}`, name: 'read', input: { q: `${at}` } },
      ],
    },
    {
      role: 'user',
      content: [
        {
          type: 'tool_result',
          tool_use_id: `toolu_${nth}_${at}`,
          content: rows(6, nth * 40 + (at % 5 === 4 ? at - 2 : at), 2),
        },
      ],
    },
  ]).flat()

const openaiAgent = (nth: number, turn: number, indent: number): object[] =>
  Array.from({ length: turn }, (_, at): object[] => [
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: `call_${nth}_${at}`, type: 'function', function: { name: 'read', arguments: JSON.stringify({ q: at }) } },
      ],
    },
    { role: 'tool', tool_call_id: `call_${nth}_${at}`, content: rows(10, nth * 40 + at, indent) },
  ]).flat()

const chat = (nth: number, turn: number): object[] =>
  Array.from({ length: 2 * turn + 1 }, (_, at) => ({
    role: at % 2 === 0 ? 'user' : 'assistant',
    content: prose(at % 2 === 0 ? 30 : 150, nth * 50 + at),
  }))

/** A conversation is taken up this far, so that its bodies are 10 KB in the mean. */
const FROM = 3

export const kinds: readonly Kind[] = [
  {
    name: 'agent on Anthropic, pretty JSON',
    wire: 'anthropic-messages',
    turns: 14,
    share: 40,
    body: (nth, turn) => ({
      model: 'claude-opus-4-5',
      max_tokens: 2000,
      system: instructions,
      tools,
      messages: [{ role: 'user', content: `Task ${nth}: ${prose(40, nth)}` }, ...anthropicAgent(nth, turn + FROM)],
    }),
  },
  {
    name: 'agent on OpenAI, dense JSON',
    wire: 'openai-chat',
    turns: 12,
    share: 20,
    body: (nth, turn) => ({
      model: 'gpt-5.5',
      tools: tools.map(({ input_schema, ...one }) => ({
        type: 'function',
        function: { ...one, parameters: input_schema },
      })),
      messages: [
        { role: 'system', content: instructions },
        { role: 'user', content: `Task ${nth}: ${prose(40, nth)}` },
        ...openaiAgent(nth, turn + FROM, 0),
      ],
    }),
  },
  {
    name: 'chat on Anthropic',
    wire: 'anthropic-messages',
    turns: 10,
    share: 20,
    body: (nth, turn) => ({
      model: 'claude-opus-4-5',
      max_tokens: 1000,
      system: prose(500, 2),
      messages: chat(nth, turn + FROM),
    }),
  },
  {
    name: 'all new, pretty JSON',
    wire: 'openai-chat',
    turns: 1,
    share: 10,
    body: (nth) => ({
      model: 'gpt-5.5',
      messages: [
        { role: 'system', content: prose(100, nth) },
        { role: 'user', content: `Task ${nth}: ${prose(40, nth)}` },
        ...openaiAgent(nth, 7, 1),
      ],
    }),
  },
  {
    name: 'all new, prose, temperature 0',
    wire: 'anthropic-messages',
    turns: 1,
    share: 10,
    body: (nth) => ({
      model: 'claude-opus-4-5',
      max_tokens: 500,
      temperature: 0,
      system: instructions,
      messages: [
        { role: 'user', content: Array.from({ length: 12 }, (_, at) => prose(110, nth * 20 + at)).join('\n\n') },
      ],
    }),
  },
]
