import { anthropic } from './apis/anthropic.ts'
import { bedrock } from './apis/bedrock.ts'
import { cohere } from './apis/cohere.ts'
import { gemini } from './apis/gemini.ts'
import { openaiChat } from './apis/openai-chat.ts'
import { openaiMedia } from './apis/openai-media.ts'
import { openaiResponses } from './apis/openai-responses.ts'
import { openaiSimple } from './apis/openai-simple.ts'
import { voyage } from './apis/voyage.ts'
import type { Api } from './types.ts'

/**
 * A provider that is played: the path of its real base URL, what may stand before its operations, and the APIs it serves
 * there. What is not exactly so is 404: a client that builds a wrong path shall see it.
 */
export type Played = Readonly<{ root: string; base: RegExp; apis: readonly Api[] }>

const openaiApis = [openaiChat, openaiResponses, openaiSimple, openaiMedia]
const likeOpenai = (root: string, base: RegExp, more: readonly Api[] = []): Played => ({
  root,
  base,
  apis: [openaiChat, openaiResponses, openaiSimple, ...more],
})

const providers = {
  openai: { root: '/v1', base: /^\/v1/, apis: openaiApis },
  'azure-openai': { root: '', base: /^\/openai\/(deployments\/[^/]+|v1)/, apis: openaiApis },
  anthropic: { root: '', base: /^\/v1/, apis: [anthropic] },
  google: { root: '', base: /^\/(v1beta|v1alpha|v1)/, apis: [gemini] },
  'vertex-ai': {
    root: '',
    base: /^\/v1(beta1)?\/projects\/[^/]+\/locations\/[^/]+\/(publishers\/(google|anthropic)|endpoints\/openapi)/,
    apis: [gemini, anthropic, openaiChat],
  },
  'aws-bedrock': { root: '', base: /^(?=\/model\/)/, apis: [bedrock] },
  cohere: { root: '', base: /^\/v2/, apis: [cohere] },
  voyage: { root: '/v1', base: /^\/v1/, apis: [voyage] },
  deepseek: likeOpenai('', /^(\/v1|\/beta)?/),
  mistral: likeOpenai('/v1', /^\/v1/),
  'x-ai': likeOpenai('/v1', /^\/v1/),
  perplexity: likeOpenai('', /^(\/v1)?/),
  openrouter: likeOpenai('/api/v1', /^\/api\/v1/),
  groq: likeOpenai('/openai/v1', /^\/openai\/v1/),
  together: likeOpenai('/v1', /^\/v1/, [voyage]),
  fireworks: likeOpenai('/inference/v1', /^\/inference\/v1/),
  databricks: likeOpenai('', /^\/serving-endpoints(\/anthropic\/v1)?/, [anthropic]),
  snowflake: likeOpenai('', /^\/api\/v2\/cortex\/v1/, [anthropic]),
  /** Any server that copies OpenAI, such as vLLM. */
  compatible: likeOpenai('/v1', /^\/v1/),
} satisfies Record<string, Played>

export type ProviderName = keyof typeof providers

export type Route = Readonly<{
  provider: ProviderName
  api: Api | undefined
  /** What stood before the operation, e.g. `/openai/deployments/gpt-4o`. */
  base: string
  path: string
  family: readonly Api[]
}>

/** The URL that an SDK, or a gateway, is given for a provider. */
export const baseUrls = (url: string): Readonly<Record<ProviderName, string>> =>
  Object.fromEntries(
    Object.entries<Played>(providers).map(([name, played]) => [name, `${url}/${name}${played.root}`]),
  ) as Record<ProviderName, string>

const isProvider = (name: string): name is ProviderName => Object.hasOwn(providers, name)

/** Whose a bare path is when no provider prefix says it. */
const bareProvider = (path: string, headers: Readonly<Record<string, string>>): ProviderName => {
  if (path.startsWith('/v1beta')) return 'google'
  if (path.startsWith('/v1/messages') || headers['anthropic-version'] !== undefined) return 'anthropic'
  if (path.startsWith('/v1/projects/')) return 'vertex-ai'
  if (path.startsWith('/model/')) return 'aws-bedrock'
  if (path.startsWith('/v2/')) return 'cohere'
  return 'openai'
}

/** Finds who is asked and what for. `api` is undefined where the provider has no such path. */
export const route = (method: string, whole: string, headers: Readonly<Record<string, string>>): Route => {
  const [, first = '', rest = ''] = /^\/([^/]+)(\/.*)$/.exec(whole) ?? []
  const named = isProvider(first)
  const provider = named ? first : bareProvider(whole, headers)
  const played: Played = providers[provider]
  const under = named ? rest : whole
  const base = played.base.exec(under)
  const path = base ? under.slice(base[0].length) : under
  const api = base ? played.apis.find((candidate) => candidate.recognise(method, path)) : undefined
  return { provider, api, base: base?.[0] ?? '', path, family: played.apis }
}
