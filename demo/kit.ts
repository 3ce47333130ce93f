import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'

/** What an SDK takes as base URL, by API. */
export type Endpoints = Readonly<{
  openai: string
  anthropic: string
  google: string
  /** The base URL of a provider that speaks OpenAI's format. */
  compatible(provider: string): string
}>

/** Who pays for a call: what an application sends as `x-weir-…` headers. */
type Tags = Readonly<{
  team?: string
  feature?: string
  customer?: string
  user?: string
  session?: string
}>

/** What a scene works with: clients of the official SDKs whose calls are tagged and counted. */
export type Kit = Readonly<{
  openai(tags: Tags, options?: ClientOptions): OpenAI
  anthropic(tags: Tags): Anthropic
  google(tags: Tags): GoogleGenAI
  /** Runs one call and counts it; what an application would survive (a refused or failed call) is survived. */
  call<T>(doing: string, work: () => Promise<T>): Promise<T | undefined>
}>

type ClientOptions = Readonly<{ provider?: string; key?: string; retries?: number }>

/** A piece of work of one user or one job: its calls follow each other. */
export type Session = Readonly<{ calls: number; run(kit: Kit): Promise<void> }>

export type Scene = Readonly<{ title: string; sessions: readonly Session[] }>

const headersOf = (tags: Tags): Record<string, string> =>
  Object.fromEntries(Object.entries(tags).map(([name, value]) => [`x-weir-${name}`, value]))

/** The key of every client in the demo; the simulator takes any. */
const KEY = 'sk-demo-simulated'

export const openKit = (endpoints: Endpoints, counted: (doing: string, failed: boolean) => void): Kit => ({
  openai: (tags, { provider, key = KEY, retries = 0 } = {}) =>
    new OpenAI({
      apiKey: key,
      baseURL: provider === undefined ? endpoints.openai : endpoints.compatible(provider),
      defaultHeaders: headersOf(tags),
      maxRetries: retries,
      timeout: 30_000,
    }),
  anthropic: (tags) =>
    new Anthropic({
      apiKey: KEY,
      baseURL: endpoints.anthropic,
      defaultHeaders: headersOf(tags),
      maxRetries: 1,
      timeout: 30_000,
    }),
  google: (tags) =>
    new GoogleGenAI({
      apiKey: KEY,
      httpOptions: { baseUrl: endpoints.google, headers: headersOf(tags), timeout: 30_000 },
    }),
  call: async (doing, work) => {
    try {
      const result = await work()
      counted(doing, false)
      return result
    } catch {
      counted(doing, true)
      return undefined
    }
  },
})

/** Reads a stream to its end, as an application that shows an answer does. */
export const drain = async <T>(stream: AsyncIterable<T>, see?: (item: T) => void): Promise<void> => {
  for await (const item of stream) see?.(item)
}
