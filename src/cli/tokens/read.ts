import type { PartKind } from '../../core/prompt.ts'
import type { Part, Wire } from '../../core/wire.ts'
import { countMedia } from '../../playbook/measure/estimate.ts'
import { wires } from '../../wires/index.ts'

/** A draft prompt: its parts and what the body says besides. `wire` is undefined for plain text. */
export type Draft = Readonly<{
  wire?: string
  model?: string
  parts: readonly Part[]
  max_output_tokens?: number
  /** Images, sounds and files, whose tokens are in no text. */
  media?: number
}>

/** Paths under which a body is tried, by what only such a body has. */
const shapes: readonly (readonly [wire: keyof typeof wires, path: string, has: (body: Body) => boolean])[] = [
  ['gemini-generate', '/v1beta/models/draft:generateContent', (body) => 'contents' in body],
  ['bedrock-converse', '/model/draft/converse', (body) => 'inferenceConfig' in body || 'toolConfig' in body],
  ['anthropic-messages', '/v1/messages', (body) => 'messages' in body && isAnthropic(body)],
  ['openai-chat', '/v1/chat/completions', (body) => 'messages' in body],
  ['openai-responses', '/v1/responses', (body) => 'input' in body && !isEmbedding(body)],
  ['openai-embeddings', '/v1/embeddings', (body) => 'input' in body],
  ['openai-completions', '/v1/completions', (body) => 'prompt' in body],
]

type Body = Readonly<Record<string, unknown>>

const isAnthropic = (body: Body): boolean =>
  'system' in body || 'thinking' in body || String(body['model'] ?? '').startsWith('claude') || hasSchemaTools(body)

const hasSchemaTools = ({ tools }: Body): boolean =>
  Array.isArray(tools) && tools.some((tool) => typeof tool === 'object' && tool !== null && 'input_schema' in tool)

const isEmbedding = (body: Body): boolean => 'encoding_format' in body || String(body['model'] ?? '').includes('embed')

const parseBody = (text: string): Body | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : undefined
  } catch {
    return undefined
  }
}

const readAs = (wire: Wire, path: string, text: string, body: Body): Draft | undefined => {
  try {
    const request = { method: 'POST', path, query: '', headers: {}, body: new TextEncoder().encode(text), json: body }
    const { parts, model, max_output_tokens } = wire.read(request, {})
    if (parts.length === 0) return undefined
    const media = countMedia(body)
    return {
      wire: wire.name,
      parts,
      ...(media === 0 ? {} : { media }),
      ...(model === undefined || model === 'draft' ? {} : { model }),
      ...(max_output_tokens === undefined ? {} : { max_output_tokens }),
    }
  } catch {
    return undefined
  }
}

/** Reads a draft: the JSON body of any wire by its parts, and whatever else as one text. */
export const readDraft = (file: string): Draft => {
  const text = file.replace(/^\uFEFF/, '') // the mark that editors on Windows put before it
  const body = parseBody(text)
  if (body) {
    for (const [name, path, has] of shapes) {
      const draft = has(body) ? readAs(wires[name], path, text, body) : undefined
      if (draft) return draft
    }
  }
  return { parts: [{ kind: 'user', text }] }
}

const order: readonly PartKind[] = ['tools', 'system', 'examples', 'history', 'context', 'user']

export type CountedPart = Readonly<{ part: PartKind; tokens: number; characters: number }>

/** Tokens of each kind of part that the draft has, in the order in which providers read them. */
export const countParts = (parts: readonly Part[], count: (text: string) => number): CountedPart[] =>
  order.flatMap((part) => {
    const texts = parts.filter(({ kind }) => kind === part).map(({ text }) => text)
    if (texts.length === 0) return []
    return [
      {
        part,
        tokens: texts.reduce((sum, text) => sum + count(text), 0),
        characters: texts.reduce((sum, text) => sum + text.length, 0),
      },
    ]
  })
