import { WeirError } from '../core/errors.ts'
import { globMatches } from '../core/glob.ts'
import type { KeyRecord } from '../core/store.ts'
import type { Call, Stop } from './call.ts'
import { bodyNamesTwice } from './names-twice.ts'

const allowed = (globs: readonly string[], name: string): boolean =>
  globs.length === 0 || globs.some((glob) => globMatches(glob, name))

type JsonRecord = Readonly<Record<string, unknown>>

const modelIn = (member: unknown): string | undefined => {
  const named = typeof member === 'object' && member !== null ? (member as JsonRecord)['model'] : member
  return typeof named === 'string' ? named : undefined
}

/**
 * Members beside `model` in which a body names models that the provider may use in its own way: to fall back to
 * (https://openrouter.ai/docs/features/model-routing), or within a tool (OpenAI's image generation).
 */
const ELSEWHERE = ['models', 'fallbacks', 'tools']

const modelsBeside = (json: unknown): readonly string[] => {
  if (typeof json !== 'object' || json === null) return []
  const lists = ELSEWHERE.map((name) => (json as JsonRecord)[name]).filter((list) => Array.isArray(list))
  return lists.flat().flatMap((member) => modelIn(member) ?? [])
}

/** The endpoint is what stands on the receipt; a path that no wire knows is covered by no list. */
const checkEndpoint = (key: KeyRecord, { reading }: Call): void => {
  if (key.endpoints.length === 0 || (reading && allowed(key.endpoints, reading.endpoint))) return
  const asked = reading ? `the endpoint ${reading.endpoint}` : 'this path'
  throw new WeirError(
    'forbidden',
    `The Weir key ${key.prefix} may not call ${asked}. It may call: ${key.endpoints.join(', ')}.`,
  )
}

const checkModels = (key: KeyRecord, call: Call): void => {
  const { reading, json } = call
  if (key.models.length === 0 || reading?.billable === false) return
  if (reading?.model === undefined)
    throw new WeirError(
      'forbidden',
      `The Weir key ${key.prefix} may use certain models only, and this path names none. Ask for a key without that limit.`,
    )
  if (bodyNamesTwice(call))
    throw new WeirError(
      'forbidden',
      `The Weir key ${key.prefix} may use certain models only, and the body names a key twice, of which the provider may read either. Name each once.`,
    )
  if ([reading.model, ...modelsBeside(json)].every((model) => allowed(key.models, model))) return
  throw new WeirError(
    'forbidden',
    `The Weir key ${key.prefix} may not use this model. It may use: ${key.models.join(', ')}.`,
  )
}

/** Throws `forbidden` when the key's scopes do not cover what is asked. What cannot be read is not covered. */
export const checkScopes = (key: KeyRecord, call: Call): void => {
  const provider = call.upstream?.name ?? ''
  if (!allowed(key.providers, provider))
    throw new WeirError(
      'forbidden',
      `The Weir key ${key.prefix} may not use the provider ${provider}. Ask for a key that may.`,
    )
  checkEndpoint(key, call)
  checkModels(key, call)
}

/** Does the key cover a target that a route or a budget names? It must be allowed as if it had been asked for. */
export const coversStop = (key: KeyRecord | undefined, { upstream, renamed, model = '' }: Stop): boolean =>
  !key || (allowed(key.providers, upstream.name) && (!renamed || allowed(key.models, model)))
