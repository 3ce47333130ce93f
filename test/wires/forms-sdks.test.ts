/** What the official SDKs read of an answer that is given in its other form: the same as of the form in which it came. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import fc from 'fast-check'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import type { Formed, Wire } from '../../src/core/wire.ts'
import { wire as anthropic } from '../../src/wires/anthropic-messages.ts'
import { wire as chat } from '../../src/wires/openai-chat.ts'
import { wire as responses } from '../../src/wires/openai-responses.ts'
import { formed, made, streamAnswer, wholeAnswer } from './forming.ts'
import { cases } from './whole-answers.ts'

const SSE = { stream: true, query: '?alt=sse', json: { stream_options: { include_usage: true } } }

/** A client's network that knows one answer. */
const answering =
  ({ body, content_type }: Formed) =>
  async () =>
    new Response(body as BodyInit, { headers: { 'content-type': content_type } })

const openai = (answer: Formed) => new OpenAI({ apiKey: 'k', maxRetries: 0, fetch: answering(answer) })
const claude = (answer: Formed) => new Anthropic({ apiKey: 'k', maxRetries: 0, fetch: answering(answer) })

type Reader = Readonly<{ whole(answer: Formed): Promise<unknown>; streamed(answer: Formed): Promise<unknown> }>

const ask = { model: 'm', messages: [{ role: 'user' as const, content: 'Why?' }] }

/** The SDKs’ own accumulators, and what remains of an answer that no accumulator adds to. */
const readers: Readonly<Record<string, Reader>> = {
  'openai-chat': {
    whole: (answer) => openai(answer).chat.completions.create(ask),
    streamed: (answer) => openai(answer).chat.completions.stream(ask).finalChatCompletion(),
  },
  'openai-responses': {
    whole: (answer) => openai(answer).responses.create({ model: 'm', input: 'Why?' }),
    streamed: (answer) => openai(answer).responses.stream({ model: 'm', input: 'Why?' }).finalResponse(),
  },
  'anthropic-messages': {
    whole: (answer) => claude(answer).messages.create({ ...ask, max_tokens: 9 }),
    streamed: (answer) =>
      claude(answer)
        .messages.stream({ ...ask, max_tokens: 9 })
        .finalMessage(),
  },
}

/** What an SDK adds of its own, or takes from the last chunk alone where others have said something too. */
const unlike = new Set(['parsed', 'output_text', 'reasoning_content', 'content_filter_results'])

/** Without members that are null or empty: they say nothing. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (name, inner: unknown) =>
    inner === null || inner === '' || unlike.has(name) ? undefined : inner,
  )

describe.each(cases.filter(([name]) => name in readers))('an answer of %s', (name, wire, _, answers) => {
  const reader = readers[name] as Reader
  test('is to its SDK the same as a stream that is made of it', async () => {
    const samples = fc.sample(answers, { seed: 20261128, numRuns: 40 })
    for (const json of samples) {
      const whole = wholeAnswer(json)
      const read = await reader.streamed(made(wire, whole, SSE))
      expect(plain(read)).toEqual(plain(await reader.whole(whole)))
    }
  })
})

const folder = join('..', 'shared', 'data', 'wire-fixtures')
const recorded: readonly (readonly [file: string, wire: Wire])[] = [
  ['xai/chat-text-stream.sse', chat],
  ['mistral/chat-stream.sse', chat],
  ['crusoe/chat-stream.sse', chat],
  ['azure/chat-model-router-stream.sse', chat],
  ['deepseek/responses-text-stream.sse', responses],
  ['anthropic/messages-thinking-stream.sse', anthropic],
]

test.skipIf(!existsSync(folder)).each(recorded)(
  '%s is the same to its SDK whole, and streamed again',
  async (file, wire) => {
    const reader = readers[wire.name] as Reader
    const came = streamAnswer(readFileSync(join(folder, file), 'utf8'))
    const whole = made(wire, came, { stream: false })
    const again = made(wire, whole, SSE)
    const [first, second, third] = [
      await reader.streamed(came),
      await reader.whole(whole),
      await reader.streamed(again),
    ]
    const comparable = (value: unknown) => {
      const { object: _, obfuscation: __, created: ___, ...rest } = plain(value) as Record<string, unknown>
      return rest
    }
    expect(JSON.stringify(first).length).toBeGreaterThan(100)
    expect(comparable(second)).toEqual(comparable(first))
    expect(comparable(third)).toEqual(comparable(first))
  },
)

test.skipIf(!existsSync(folder))(
  'no recorded stream loses tool calls, several messages or unknown parts by being made whole',
  () => {
    const refused = [
      ['anthropic/messages-advisor-stream.sse', anthropic],
      ['anthropic/messages-compaction-with-cache-stream.sse', anthropic],
      ['anthropic/messages-duplicate-start-stream.sse', anthropic],
      ['anthropic/messages-server-tool-cache-stream.sse', anthropic],
      ['openrouter/chat-stream-grok4-cached.sse', chat],
    ] as const
    for (const [file, wire] of refused)
      expect(formed(wire, streamAnswer(readFileSync(join(folder, file), 'utf8')), { stream: false }), file).toBeTypeOf(
        'string',
      )
  },
)

test('Google’s SDK reads the same text and usage of both forms', async () => {
  const [, wire, , answers] = cases.find(([name]) => name === 'gemini-generate') as (typeof cases)[number]
  for (const json of fc.sample(answers, { seed: 20261128, numRuns: 30 })) {
    const whole = wholeAnswer(json)
    const client = (answer: Formed) => {
      globalThis.fetch = answering(answer)
      return new GoogleGenAI({ apiKey: 'k' })
    }
    const network = globalThis.fetch
    try {
      const read = await client(whole).models.generateContent({ model: 'm', contents: 'Why?' })
      const pieces: (typeof read)[] = []
      for await (const piece of await client(made(wire, whole, SSE)).models.generateContentStream({
        model: 'm',
        contents: 'Why?',
      }))
        pieces.push(piece)
      const text = (all: readonly (typeof read)[]) =>
        all
          .flatMap(({ candidates = [] }) => candidates.filter(({ index = 0 }) => index === 0))
          .flatMap(({ content }) => content?.parts ?? [])
          .map(({ text: said = '' }) => said)
          .join('')
      expect(text(pieces)).toBe(text([read]))
      expect(pieces.at(-1)?.usageMetadata).toEqual(read.usageMetadata)
      expect(pieces.at(-1)?.responseId).toBe(read.responseId)
    } finally {
      globalThis.fetch = network
    }
  }
})
