import type { Part, Reading, WireRequest } from '../../core/wire.ts'
import { unmarkedJson } from '../anthropic/parts.ts'
import { answersAsked } from '../framing/answers-asked.ts'
import { bodyTags } from '../framing/body-tags.ts'
import { countOf, largestCount } from '../framing/counts.ts'
import { asList, asRecord, asText, at, given, type JsonRecord, recordsOf, unescaped } from '../framing/json.ts'
import { isRetrieved, mediaText } from '../framing/parts.ts'
import { tierOf } from './usage.ts'

/** The model in a path such as `/v1beta/models/{model}:generateContent`; undefined for other paths. */
export const pathModel = (path: string): string | undefined => {
  const name = /\/(?:models|tunedModels|endpoints)\/([^/:]+):\w+$/.exec(path)?.[1]
  return name === undefined ? undefined : unescaped(name)
}

/** The API takes camelCase and snake_case alike. */
export const field = (record: unknown, camel: string): unknown => {
  const snake = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return at(record, camel) ?? at(record, snake)
}

/** What the model reads of a part. */
export const partText = (part: JsonRecord): string => {
  const text = part['text']
  if (typeof text === 'string') return text
  const inline = asRecord(field(part, 'inlineData'))
  if (inline) return mediaText(asText(field(inline, 'mimeType')) ?? 'data', asText(inline['data']) ?? '')
  const { thoughtSignature: _, thought_signature: __, ...rest } = part
  return unmarkedJson(rest)
}

/** A content as its parts; the API also takes a bare string or part where it wants a content. */
const contentTexts = (content: unknown): readonly Readonly<{ text: string; tool: boolean }>[] => {
  if (typeof content === 'string') return [{ text: content, tool: false }]
  const parts = at(content, 'parts') ?? content
  const list = Array.isArray(parts) ? recordsOf(parts) : recordsOf([parts])
  return list.map((part) => ({ text: partText(part), tool: field(part, 'functionResponse') !== undefined }))
}

/**
 * Tools, system instruction and contents, in this order; each part of a content is a part. Contents after the model's last
 * are new: function responses in them are context, the rest is the user's; everything before is history.
 */
const promptParts = (body: JsonRecord, contents: readonly JsonRecord[]): Part[] => {
  const tools = asList(body['tools'])
  const config = field(body, 'generationConfig')
  const schema = field(config, 'responseSchema') ?? field(config, 'responseJsonSchema')
  const system = field(body, 'systemInstruction')
  const last = contents.findLastIndex((content) => content['role'] === 'model')
  const parts: Part[] = [
    ...(tools.length === 0 ? [] : [{ kind: 'tools' as const, text: unmarkedJson(tools) }]),
    ...(schema === undefined ? [] : [{ kind: 'system' as const, text: unmarkedJson(schema) }]),
    ...(system === undefined ? [] : contentTexts(system).map(({ text }) => ({ kind: 'system' as const, text }))),
    ...contents.flatMap((content, index) =>
      contentTexts(content).map(({ text, tool }): Part => {
        if (index <= last) return { kind: 'history', text }
        return { kind: tool || isRetrieved(text) ? 'context' : 'user', text }
      }),
    ),
  ]
  return parts.filter((part) => part.text !== '')
}

const declarations = (tools: unknown): number =>
  recordsOf(tools).reduce((count, tool) => count + Math.max(1, asList(field(tool, 'functionDeclarations')).length), 0)

const formatOf = (config: unknown): string | undefined => {
  if (field(config, 'responseSchema') !== undefined || field(config, 'responseJsonSchema') !== undefined)
    return 'json_schema'
  return asText(field(config, 'responseMimeType'))
}

/** The maximum that is asked for each candidate, in whichever of the spellings. */
const maximumEach = (body: JsonRecord): number | undefined => {
  const configs = [body['generationConfig'], body['generation_config']]
  return largestCount(...configs.flatMap((config) => [at(config, 'maxOutputTokens'), at(config, 'max_output_tokens')]))
}

/** Reads a generateContent, streamGenerateContent or countTokens request; the last may wrap the first. */
export const readGenerate = (request: WireRequest, json: JsonRecord): Reading => {
  const counting = request.path.endsWith(':countTokens')
  const wrapped = counting ? asRecord(field(json, 'generateContentRequest')) : undefined
  const body = wrapped ?? json
  const contents = recordsOf(Array.isArray(body['contents']) ? body['contents'] : [body['contents']])
  const config = field(body, 'generationConfig')
  const each = maximumEach(body)
  return {
    endpoint: counting ? 'count_tokens' : 'generate',
    billable: !counting,
    stream: request.path.endsWith(':streamGenerateContent'),
    ...given({
      model: pathModel(request.path),
      max_output_tokens: each === undefined ? undefined : each * answersAsked(body),
      temperature: countOf(field(config, 'temperature')),
      service_tier: tierOf(field(body, 'serviceTier')),
      response_format: formatOf(config),
    }),
    // Inside `generateContentRequest` only what is counted lies, and counting bills nothing.
    max_output_field: [
      at(body, 'generation_config') === undefined ? 'generationConfig' : 'generation_config',
      'maxOutputTokens',
    ],
    parts: promptParts(body, contents),
    turns: contents.filter((content) => content['role'] === 'model').length + 1,
    tool_count: declarations(body['tools']),
    body_tags: bodyTags(body['labels']),
    edits: [],
    hide_usage: false,
  }
}
