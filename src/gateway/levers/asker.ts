import type { Kit } from '../../core/lever.ts'
import type { Errands } from '../errand.ts'
import type { Upstream } from '../world.ts'

type Asked = Parameters<NonNullable<Kit['ask']>>[0]

/** How each wire is asked for a text, and where the text stands in its answer. */
type Speech = Readonly<{
  wire: string
  path(model: string): string
  body(asked: Asked, model: string): unknown
  said(answer: never): unknown
}>

const speeches: readonly Speech[] = [
  {
    wire: 'anthropic-messages',
    path: () => '/v1/messages',
    body: ({ system, text, max_output_tokens }, model) => ({
      model,
      max_tokens: max_output_tokens,
      system,
      messages: [{ role: 'user', content: text }],
    }),
    said: (answer: { content?: { text?: string }[] }) => answer.content?.map(({ text = '' }) => text).join(''),
  },
  {
    wire: 'openai-chat',
    path: () => '/v1/chat/completions',
    body: ({ system, text, max_output_tokens }, model) => ({
      model,
      max_completion_tokens: max_output_tokens,
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: text },
      ],
    }),
    said: (answer: { choices?: { message?: { content?: string } }[] }) => answer.choices?.[0]?.message?.content,
  },
  {
    wire: 'gemini-generate',
    path: (model) => `/v1beta/models/${encodeURIComponent(model)}:generateContent`,
    body: ({ system, text, max_output_tokens }) => ({
      systemInstruction: { parts: [{ text: system }] },
      contents: [{ role: 'user', parts: [{ text }] }],
      generationConfig: { maxOutputTokens: max_output_tokens },
    }),
    said: (answer: { candidates?: { content?: { parts?: { text?: string }[] } }[] }) =>
      answer.candidates?.[0]?.content?.parts?.map(({ text = '' }) => text).join(''),
  },
]

/** Summaries are longer than other answers of cheap models, and nobody waits for them at a screen. */
const DEADLINE_MS = 30_000

/**
 * Makes the function that asks a cheap model, `provider/model`, through the gateway itself, so that what it costs is on receipts too.
 * Rejects for a model without a configured provider, and where the provider gives no text.
 */
export const openAsker =
  (upstreams: ReadonlyMap<string, Upstream>, errands: Errands): NonNullable<Kit['ask']> =>
  async (asked) => {
    const [provider = '', ...rest] = asked.model.split('/')
    const upstream = upstreams.get(provider)
    const model = rest.join('/')
    if (!upstream || model === '') throw new Error(`no provider for the model ${asked.model}: write provider/model`)
    const speech = speeches.find(({ wire }) => upstream.wires.some(({ name }) => name === wire))
    if (!speech) throw new Error(`${provider} speaks no wire in which it can be asked for a text`)
    const body = speech.body(asked, model)
    const answer = await errands.run({ provider, path: speech.path(model), body, deadline_ms: DEADLINE_MS })
    const said = speech.said(answer as never)
    if (typeof said === 'string' && said !== '') return said
    throw new Error(`${asked.model} gave no text`)
  }
