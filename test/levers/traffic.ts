/** For every lever of the catalogue a day on which it has something to do. A new lever fails the contract until it has a row. */

import { bitsOf, chance } from '../../src/core/chance.ts'
import type { Chosen } from '../../src/core/lever.ts'
import type { Step } from './day.ts'

export type Row = Readonly<{
  steps: readonly Step[]
  /** Settings other than the defaults. */
  settings?: Chosen
  /** Paths of a request's body that the lever may touch. */
  owns: RegExp
  /** What a body says, where the lever may write the same in another form: it must be equal before and after. */
  reads?: (body: string) => unknown
  /** Knows the right answers of the day. */
  says?: (latest: string) => string | undefined
  /** The lever takes the templates that an evaluation holds for: those of the day. */
  takes_templates?: true
}>

const words =
  'the order was sent on monday and will arrive before the end of week unless rain holds up lorry near old bridge where workers mend a wall that fell last winter while people from both towns came to help with bread tea stones'.split(
    ' ',
  )

/** A text of so many plain words, which no other seed has: as many tokens a character as other prose. */
const prose = (seed: string, length: number): string => {
  const next = chance(bitsOf(seed))
  return Array.from({ length }, () => words[Math.floor(next() * words.length)]).join(' ')
}

/** The length of the answer is told, so that it does not depend on what a lever took out. */
const told = 'sim:output=30'

const chat = (at_s: number, body: object, headers = {}): Step => ({
  at_s,
  path: '/v1/chat/completions',
  body: JSON.stringify({ model: 'gpt-4o-mini', ...body }),
  headers: { authorization: 'Bearer sk-client', ...headers },
})
const messages = (at_s: number, body: object, headers = {}): Step => ({
  at_s,
  path: '/v1/messages',
  body: JSON.stringify({ model: 'claude-sonnet-5-5', max_tokens: 200, ...body }),
  headers: { 'x-api-key': 'sk-client', 'anthropic-version': '2023-06-01', ...headers },
})

const question = (text: string) => ({
  temperature: 0,
  messages: [
    { role: 'system', content: 'You answer customers of a shop.' },
    { role: 'user', content: `${text} ${told}` },
  ],
})

/** A question asked whole and then as a stream, and another one the other way round, on wires that know both forms. */
const inBothForms: readonly Step[] = ['Where is my parcel?', 'How do I pay?'].flatMap((text, nth) =>
  [0, 60].flatMap((after, at) => {
    const stream = (nth + at) % 2 === 1
    const { temperature, messages: asked } = question(text)
    const contents = [{ role: 'user', parts: [{ text: `${text} ${told}` }] }]
    const path = stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
    const begin_s = 600 + nth * 200 + after
    return [
      messages(begin_s, { temperature, messages: asked.slice(1), stream }),
      { ...chat(begin_s + 1, { model: 'gpt-5-mini', temperature, input: asked, stream }), path: '/v1/responses' },
      {
        at_s: begin_s + 2,
        path: `/v1beta/models/gemini-2.5-flash:${path}`,
        body: JSON.stringify({ contents, generationConfig: { temperature } }),
        headers: { 'x-goog-api-key': 'client' },
      },
    ]
  }),
)

/** The same few questions, again and again; some after the answer's time is over, one at a warmer temperature. */
const repeated: readonly Step[] = [
  ...['Where is my parcel?', 'How do I pay?', 'Where is my parcel?', 'Can I return it?', 'How do I pay?'].map(
    (text, at) => chat(at * 60, question(text)),
  ),
  chat(400, { ...question('Where is my parcel?'), temperature: 1 }),
  chat(460, { ...question('Where is my parcel?'), stream: true, stream_options: { include_usage: true } }),
  chat(520, { ...question('Where is my parcel?'), stream: true, stream_options: { include_usage: true } }),
  ...inBothForms,
  chat(8000, question('Where is my parcel?')),
  chat(8060, question('Where is my parcel?')),
]

/** Records of a shop as a tool gives them: with the blanks of a pretty printer. */
const records = (name: string, count: number): string =>
  JSON.stringify(
    Array.from({ length: count }, (_, at) => ({
      id: `${name}-${at}`,
      status: 'shipped',
      total: at * 13.5,
      lines: [{ sku: `sku-${at}`, quantity: at % 4 }],
    })),
    null,
    4,
  )

/**
 * A conversation whose history grows, and whose client places no cache marks. With records from its second question on, it has fewer
 * tokens a character than its system prompt.
 */
const conversation = (begin_s: number, gap_s: number, turns: number, name: string, count = 0): readonly Step[] => {
  const history: object[] = []
  return Array.from({ length: turns }, (_, turn) => {
    const asked = count > 0 && turn > 0 ? records(`${name}${turn}`, count) : prose(`${name}${turn}q`, 120)
    history.push({ role: 'user', content: `${asked} ${told}` })
    const step = messages(
      begin_s + turn * gap_s,
      { system: prose('handbook', 1600), messages: [...history] },
      { 'x-weir-feature': 'support', 'x-weir-session': name },
    )
    history.push({ role: 'assistant', content: prose(`${name}${turn}a`, 40) })
    return step
  })
}

/** An agent that asks its tools, sometimes for the same thing again. */
const agent = (begin_s: number, name: string, results: readonly string[]): readonly Step[] => {
  const history: object[] = [
    { role: 'system', content: prose('agent', 60) },
    { role: 'user', content: `Look after the orders of ${name}. ${told}` },
  ]
  return results.map((result, turn) => {
    history.push({
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: `call_${name}_${turn}`, type: 'function', function: { name: 'find', arguments: '{"of":"orders"}' } },
      ],
    })
    history.push({ role: 'tool', tool_call_id: `call_${name}_${turn}`, content: result })
    return chat(begin_s + turn * 20, { messages: [...history] }, { 'x-weir-feature': 'orders', 'x-weir-session': name })
  })
}

/** An agent that rests longer than its provider's cache lives, with old turns that are long. */
const aSlowAgentsDay: readonly Step[] = agent(
  0,
  'dora',
  Array.from({ length: 6 }, (_, at) => prose(`finding${at}x`, 300)),
).map((step, at) => ({ ...step, at_s: at * 1200 }))

/**
 * Agents with results of all lengths. They are many, since what a provider reads from its cache comes in steps of 128 tokens: of one call
 * a promise can be half a step off, of a day it must not be.
 */
const anAgentsDay: readonly Step[] = Array.from({ length: 24 }, (_, at) => {
  const name = `agent${at}`
  const once = records(name, 5 + ((at * 7) % 13))
  return agent(at * 400, name, [
    once,
    records(`${name}b`, 4 + ((at * 5) % 11)),
    once,
    records(`${name}c`, 3 + at),
    once,
  ])
}).flat()

/** The last message with a cache mark at its end, as agents set it that cache by themselves. */
const markedAtEnd = (history: readonly Readonly<{ role: string; content: readonly object[] }>[]) =>
  history.map((message, at) =>
    at < history.length - 1
      ? message
      : { ...message, content: message.content.map((block) => ({ ...block, cache_control: { type: 'ephemeral' } })) },
  )

/** Agents of Anthropic's that cache by themselves; what they find has far fewer tokens a character than their instructions. */
const aCachingAgentsDay: readonly Step[] = Array.from({ length: 8 }, (_, at) => {
  const name = `clerk${at}`
  const history = [{ role: 'user', content: [{ type: 'text', text: `Look after ${name}. ${told}` }] }] as {
    role: string
    content: object[]
  }[]
  const found = [records(name, 20), records(`${name}b`, 24), records(name, 20), records(`${name}c`, 28)]
  return [undefined, ...found].map((content, turn) => {
    if (content !== undefined) {
      const id = `toolu_${at}_${turn}`
      history.push({ role: 'assistant', content: [{ type: 'tool_use', id, name: 'find', input: {} }] })
      history.push({ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content }] })
    }
    const system = [{ type: 'text', text: prose('clerk', 1800), cache_control: { type: 'ephemeral' } }]
    const tools = [{ name: 'find', description: 'Finds orders.', input_schema: { type: 'object', properties: {} } }]
    const headers = { 'x-weir-feature': 'clerk', 'x-weir-session': name }
    return messages(20_000 + at * 200 + turn * 20, { system, tools, messages: markedAtEnd(history) }, headers)
  })
}).flat()

/** Customers whose agent has five tools and calls the same one each time. */
const manyToolsDay: readonly Step[] = Array.from({ length: 30 }, (_, at) => {
  const tools = ['find', 'refund', 'ship', 'cancel', 'escalate'].map((name) => ({
    type: 'function',
    function: { name, description: prose(name, 80), parameters: { type: 'object', properties: {} } },
  }))
  const asked = { role: 'user', content: `${prose(`customer${at}`, 30)} ${told} sim:steps=0` }
  const called = { id: `call_${at}`, type: 'function', function: { name: 'find', arguments: '{}' } }
  const messages = [
    asked,
    { role: 'assistant', content: null, tool_calls: [called] },
    { role: 'tool', tool_call_id: `call_${at}`, content: prose(`result${at}`, 20) },
  ]
  return chat(at * 700, { tools, messages }, { 'x-weir-feature': 'tools', 'x-weir-session': `customer-${at}` })
})

/** Questions with nine passages of a handbook each, of which few have to do with the question. */
const handbookDay: readonly Step[] = Array.from({ length: 8 }, (_, at) => {
  const passages = Array.from({ length: 9 }, (_, index) => {
    const text =
      index === at ? `A refund takes ${at + 3} days. ${prose(`p${at}.${index}`, 40)}` : prose(`p${at}.${index}`, 44)
    return `<document index="${index + 1}">\n${text}\n</document>\n`
  })
  const content = `Use the context.\n\n${passages.join('')}\nHow long does a refund take? ${told}`
  return chat(at * 700, { messages: [{ role: 'user', content }] }, { 'x-weir-feature': 'handbook' })
})

/** A sorter of mails whose system prompt has examples. */
const mailsDay: readonly Step[] = Array.from({ length: 8 }, (_, at) => {
  const shown = Array.from(
    { length: 6 },
    (_, id) => `<example id="${id}">\n${prose(`mail${id}`, 60)} goes to inbox\n</example>\n`,
  )
  const system = `Sort mails.\n<examples>\n${shown.join('')}</examples>\nThat is all.`
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: `${prose(`new${at}`, 40)} ${told}` },
  ]
  return chat(at * 700, { messages }, { 'x-weir-feature': 'mails' })
})

/** A route whose answers are short, until one runs away. */
const runawayDay: readonly Step[] = Array.from({ length: 45 }, (_, at) => {
  const length = at > 40 ? 2000 : 30 + (at % 7)
  const messages = [{ role: 'user', content: `${prose(`short${at}`, 20)} sim:output=${length}` }]
  return chat(at * 60, { messages }, { 'x-weir-feature': 'short' })
})

/** Levers that a day through the gateway cannot show, and where they are held to their promise instead. */
export const elsewhere: Readonly<Record<string, string>> = {
  'compact/compress': 'needs a model on disk: test/compact/compressor.test.ts',
}

const ways = ['how do I', 'how can I', 'please tell me how to', 'what is the way to', 'I want to', 'help me to']
const acts = ['activate', 'freeze', 'replace', 'top up', 'cancel', 'order']
const things = ['my virtual card', 'the physical card', 'a standing payment', 'the savings pot']

/** The same few questions in other words, for a whole day. */
const aDeskOfQuestions: readonly Step[] = Array.from({ length: 800 }, (_, at) => {
  const next = chance(bitsOf(`question${at}`))
  const pick = (list: readonly string[]): string => list[Math.floor(next() * list.length)] ?? ''
  return chat(at * 30, {
    messages: [
      { role: 'system', content: 'You answer customers of a bank.' },
      { role: 'user', content: `${pick(ways)} ${pick(acts)} ${pick(things)}?` },
    ],
  })
})

const deskAnswer = (latest: string): string | undefined => {
  const act = acts.find((one) => latest.includes(one))
  const thing = things.find((one) => latest.includes(one))
  return act && thing ? `To ${act} ${thing} open its page.` : undefined
}

/** A body without cache marks, and with a text where a list of that one text stands. */
const unmarked = (body: string): unknown =>
  JSON.parse(body, (key, value: unknown) => {
    if (key === 'cache_control') return undefined
    const [only] = Array.isArray(value) && value.length === 1 ? (value as Record<string, unknown>[]) : []
    return only?.['type'] === 'text' && Object.keys(only).length === 2 ? only['text'] : value
  })

const content = /^\$\.messages\.\d+\.content/

export const rows: Readonly<Record<string, Row>> = {
  'cache/exact': { steps: repeated, owns: /^nothing$/ },
  'cache/provider-prefix': {
    steps: [
      ...Array.from({ length: 8 }, (_, at) => conversation(at * 200, 40, 4, `dan${at}`, 10)).flat(),
      ...conversation(2000, 40, 6, 'ada'),
      ...conversation(2400, 40, 6, 'ben'),
      ...conversation(3200, 400, 5, 'cleo'),
    ],
    owns: /\.cache_control|^\$\.(system|messages\.\d+\.content)/,
    reads: unmarked,
  },
  'cache/semantic': {
    steps: aDeskOfQuestions,
    settings: { most_wrong_percent: 10, confidence_percent: 90 },
    says: deskAnswer,
    owns: /^nothing$/,
  },
  'compact/examples': { steps: mailsDay, settings: { verdict: 'mails' }, takes_templates: true, owns: content },
  'compact/history': { steps: aSlowAgentsDay, settings: { keep_turns: 1, least_tokens: 100 }, owns: content },
  'compact/output': {
    steps: runawayDay,
    settings: { least_answers: 20 },
    owns: /^\$\.(max_tokens|max_completion_tokens)/,
  },
  'compact/retrieval': { steps: handbookDay, settings: { keep: 2, near: 1 }, owns: content },
  'compact/tools': { steps: manyToolsDay, settings: { most_missed: 0.2, least_tokens: 50 }, owns: /^\$\.tools/ },
  'compact/minify': { steps: [...anAgentsDay, ...aCachingAgentsDay], owns: content },
  'compact/tool-results': { steps: [...anAgentsDay, ...aCachingAgentsDay], owns: content },
}
