/** What a piece of a prompt is for. Order of the parts is the order in which the provider reads (and caches) them. */
export type PartKind = 'tools' | 'system' | 'examples' | 'history' | 'context' | 'user'

/** Who speaks in a block. */
export type Role = 'tools' | 'system' | 'user' | 'assistant' | 'tool'

/** What a block is. `other` stands for everything that no lever may touch (thinking, signatures, unknown blocks). */
export type BlockForm = 'text' | 'tool' | 'tool-call' | 'tool-result' | 'media' | 'other'

/** How long a provider is asked to keep a prefix. */
export type CacheTtl = '5m' | '30m' | '1h' | '12h' | '24h'

/** How long a TTL lasts, seconds. */
export const ttl_s: Readonly<Record<CacheTtl, number>> = {
  '5m': 300,
  '30m': 1800,
  '1h': 3600,
  '12h': 43_200,
  '24h': 86_400,
}

/**
 * A content block of a prompt, in the order in which the provider reads (and caches) them. A block is never larger than a
 * part of the reading, whose ends are the boundaries of the prefix chain: every tool is a block of its own, and all tools
 * are one part.
 */
export type Block = Readonly<{
  /** Index of the part of the reading, and so of the boundary of `LiveCall.chain`, that the block is in; -1 where it is in none. */
  part: number
  kind: PartKind
  form: BlockForm
  role: Role
  /** Index of its message; -1 for tools and system. */
  message: number
  /** What the model reads of it. For a tool its definition as JSON. */
  text: string
  /** True where `text` is one string of the body, so that another text may stand in its place. */
  replaceable: boolean
  /** True where the whole block may be left out and the body is still one that the provider takes. */
  removable: boolean
  /** True where a cache mark may be placed on it. */
  markable: boolean
  /** An earlier lever has taken it out: indices never change on the way. Its text is then empty. */
  gone?: true
  /** A tool's, or a tool call's, name. */
  name?: string
  /** Which tool call a result answers, or a call's own id. */
  tool_call?: string
  /** The cache mark that the client placed on it. */
  mark?: CacheTtl
}>

/** Fields of the body that levers may set; the wire knows what they are called. A wire without the field has no such edit. */
export type BodyFields = Readonly<{
  max_output_tokens?: number
  /** Affinity of calls with one prefix (OpenAI's `prompt_cache_key`, xAI's, Mistral's). */
  cache_key?: string
  /** How long the provider keeps the prefix, where the whole request says it (OpenAI's cache options and retention). */
  cache_ttl?: CacheTtl
  /** True where the provider is to write its cache at marks only, and at none of its own choosing (OpenAI from 5.6 on). */
  marks_only?: boolean
  /** Structured output: a JSON schema that the client itself has stated elsewhere in the body. */
  response_schema?: unknown
}>

/** What a lever wants to be different. `block` is an index of `Outline.blocks`, the same for every lever of a call. */
export type Change =
  | Readonly<{ do: 'replace'; block: number; text: string }>
  | Readonly<{ do: 'remove'; block: number }>
  | Readonly<{ do: 'mark'; block: number; ttl: CacheTtl }>
  | Readonly<{ do: 'set'; fields: BodyFields }>

/** A prompt as levers see it. */
export type Outline = Readonly<{
  blocks: readonly Block[]
  /** Indices of the blocks that stand before or beside the conversation (`message` is -1): tools and system. */
  definitions: readonly number[]
  /** Indices of the blocks with a cache mark, ascending. */
  marked: readonly number[]
  /** What the body says of the fields that levers may set. */
  fields: BodyFields
  temperature?: number
  /** Most cache marks that a body may hold; 0 where the wire has none. */
  most_marks: number
}>
