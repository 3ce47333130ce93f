import type { Reading } from '../../core/wire.ts'
import { canonical, type KnownTools } from './canonical.ts'
import { digests, type Hash } from './digest.ts'
import { linkParts, type PrefixChain } from './prefixes.ts'

export type Fingerprints = Readonly<{
  /** Equal when two bodies ask the same (`canonical.ts` says what is left out); absent where the body is not JSON. */
  fingerprint_exact?: string
  /** Tools, system prompt, examples and response format: what a feature's calls have in common. Absent where there is none. */
  fingerprint_template?: string
  /** The template's parts and the first message part: what the calls of one conversation have in common. */
  fingerprint_conversation?: string
  chain: PrefixChain
  /** The chain with a boundary after every part of the reading. */
  whole(): PrefixChain
}>

/** Sets of tool definitions that are remembered, and the longest of them, in characters. */
const REMEMBERED_SETS = 32
const LONGEST_SET = 256 * 1024

const toolMemory = (hash: Hash): KnownTools => {
  const sets: string[] = []
  const digests: string[] = []
  let next = 0
  return (json, write) => {
    const index = sets.indexOf(json)
    if (index >= 0) return digests[index] ?? ''
    const digest = `#${hash(write())}`
    if (json.length > LONGEST_SET) return digest
    sets[next] = json
    digests[next] = digest
    next = (next + 1) % REMEMBERED_SETS
    return digest
  }
}

/**
 * Makes the function that takes fingerprints of requests. `hash` gives 64 bits of a text as 16 hexadecimal digits. `sealed` does so
 * for whole bodies, where stored answers are found by them: nobody may be able to make another body with the same ones. (Of long
 * texts `hash` must say what `sealed` says.) Two requests of one conversation have the same chain up to where their prompts part. The
 * chain knows no provider and no model, so that a replay can ask what another one's cache would have held.
 */
export const fingerprinter = (hash: Hash, sealed = hash) => {
  const tools = toolMemory(sealed)
  const exact = (json: unknown, reading: Reading, digest: (text: string) => string): string | undefined => {
    try {
      return sealed(`${reading.endpoint}\n${reading.model ?? ''}\n${canonical(json, digest, tools)}`)
    } catch (error) {
      if (error instanceof RangeError) return undefined
      throw error
    }
  }
  return ({ json, reading }: Readonly<{ json: unknown; reading: Reading }>): Fingerprints => {
    const digest = digests(hash)
    const { chain, whole, template: parts, conversation } = linkParts(reading.parts, digest)
    const body = json === undefined ? undefined : exact(json, reading, digest)
    const format = reading.response_format
    const template = format === undefined ? parts : hash(`${parts ?? ''}\n${format}`)
    const made: { -readonly [name in keyof Fingerprints]: Fingerprints[name] } = { chain, whole }
    if (body !== undefined) made.fingerprint_exact = body
    if (template !== undefined) made.fingerprint_template = template
    if (conversation !== undefined) made.fingerprint_conversation = conversation
    return made
  }
}
