/** What a call can consume at most, read from its body: for reservations that must hold. */

/** No model on the market reads a longer prompt (xAI's Grok 4 fast, https://docs.x.ai/docs/models); tokens. */
export const LARGEST_PROMPT = 2_000_000

/** What providers add of their own: the frame of a conversation, and the prompt that explains tools (Anthropic: up to 900). */
const ADDED_TOKENS = 1024

/** The most that one of the large providers counts for a picture (high detail, tiled). */
const PICTURE_TOKENS = 20_000

/** Members that bring content in that is not in the body, or in it in a form that is denser than text. */
const elsewhere = new RegExp(
  [
    '"(previous_response_id|conversation_id|previous_interaction_id|cached_?[cC]ontent|file_?(id|url|uri|data|Id|Uri|Data)|inline_?[dD]ata|s3Location|video_url)"\\s*:',
    '"conversation"\\s*:\\s*("|\\{\\s*"id")',
    '"(document|video|audio)"\\s*:\\s*\\{\\s*"(format|name|source|data|id)"',
    '"type"\\s*:\\s*"(document|file|input_file|input_audio|video_url|video|audio)"',
  ].join('|'),
)

/** Where a picture stands in the text: its address, or its bytes, which are fewer than its tokens where it is plain. */
const pictures = /"(image_url|url|image)"\s*:|"type"\s*:\s*"base64"|\bname="(image|mask)/g

/** A letter, digit or underscore that is written as an escape: names of members may be hidden in such. */
const HIDDEN = /\\u00(?:3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\da])/i

/**
 * Most tokens that a prompt can have. A token is a byte of text at least. Content that lies elsewhere counts as the longest
 * prompt that any model reads, unless it is a picture. `body` is the text in any encoding that keeps ASCII, `json` what it was parsed to.
 */
export const promptBound = (body: string, bytes: number, json: unknown): number => {
  const text = HIDDEN.test(body) ? JSON.stringify(json) : body
  if (elsewhere.test(text)) return LARGEST_PROMPT
  const seen = text.includes('image') ? (text.match(pictures)?.length ?? 0) : 0
  return Math.min(LARGEST_PROMPT, bytes + ADDED_TOKENS + seen * PICTURE_TOKENS)
}

type JsonRecord = Readonly<Record<string, unknown>>

const asRecord = (value: unknown): JsonRecord | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : undefined

/** Members that make the provider work on its own, or choose another model: their cost has no bound that the request tells. */
const unbounded = [
  'background',
  'web_search_options',
  'search_parameters',
  'plugins',
  'connectors',
  'mcp_servers',
  'models',
  'fallbacks',
  'context_management',
  'prompt',
]

/** Does the provider shorten the prompt by itself? It bills what it reads and writes for that besides (Anthropic, OpenAI's Responses). */
const compacts = (management: unknown): boolean => /"type":"compact/.test(JSON.stringify(management) ?? '')

/** Tools that the client runs; it is asked, and nothing is billed but tokens. */
const clientRun = /^(function|custom|bash_|text_editor_|computer_|memory_|str_replace|local_shell|apply_patch)/

/** Does the provider run this tool? Gemini's and Bedrock's tools are told apart by the name of their one member. */
const providerRuns = (tool: JsonRecord): string | undefined => {
  const { type } = tool
  if (typeof type === 'string') return clientRun.test(type) ? undefined : type
  if ('name' in tool || 'function' in tool || 'toolSpec' in tool) return undefined
  return Object.keys(tool).find((name) => !/^(functionDeclarations|function_declarations|cachePoint)$/.test(name))
}

/**
 * Names what makes the worst case of a call unknowable: a tool that the provider runs as often as it likes, or a model that
 * it chooses. Undefined where there is nothing of the kind.
 */
export const unboundedBy = (json: unknown, endpoint: string): string | undefined => {
  const body = asRecord(json)
  if (!body) return undefined
  const legacy = endpoint === 'completions' || endpoint.startsWith('images') || endpoint.startsWith('rerank')
  const member = unbounded.find((name) => {
    if (name === 'prompt') return !legacy && asRecord(body[name]) !== undefined
    if (name === 'background') return body[name] === true
    if (name === 'context_management') return compacts(body[name])
    return body[name] !== undefined && body[name] !== null && !(Array.isArray(body[name]) && body[name].length === 0)
  })
  if (member !== undefined) return member
  const tools = body['tools']
  if (!Array.isArray(tools)) return undefined
  for (const tool of tools) {
    const found = asRecord(tool)
    const name = found && providerRuns(found)
    if (name !== undefined) return name
  }
  return undefined
}
