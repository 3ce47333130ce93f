import type { Chunk } from '../types.ts'

type Progress = Readonly<{ visible: number; reasoning: number }>

const progressOf = (progress: Progress | undefined): Partial<Progress> =>
  progress ? { visible: progress.visible, reasoning: progress.reasoning } : {}

/** `data:` only, as OpenAI chat and Gemini stream. */
export const data = (value: unknown, progress?: Progress): Chunk => ({
  bytes: `data: ${JSON.stringify(value)}\n\n`,
  ...progressOf(progress),
})

/** With an event name, as Anthropic, Responses and Cohere stream. */
export const event = (name: string, value: unknown, progress?: Progress): Chunk => ({
  bytes: `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`,
  ...progressOf(progress),
})

export const EVENT_STREAM = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' } as const
export const JSON_BODY = { 'content-type': 'application/json' } as const
