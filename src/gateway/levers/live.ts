import type { LiveCall, StoredAnswer } from '../../core/lever.ts'
import type { Chain, Circle } from '../../core/past.ts'
import type { Change, Outline } from '../../core/prompt.ts'
import type { Edit, KnownBody } from '../../core/wire.ts'
import type { PrefixChain } from '../../playbook/measure/prefixes.ts'
import { prefixTokens } from '../../playbook/measure/prefixes.ts'
import { asRecord } from '../../wires/framing/json.ts'
import type { Call } from '../call.ts'
import { withoutKeys } from '../headers.ts'
import { bodyNamesTwice } from '../names-twice.ts'
import { promptOf, sealed } from '../prompt.ts'
import type { Upstream, World } from '../world.ts'
import { besideText } from './beside.ts'
import { type Bodies, LONGEST_BODY } from './bodies.ts'
import { afterChanges } from './outline.ts'

/**
 * Headers that change what an API does with a body: versions, betas, organisations, roles, and guardrails
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html, https://console.groq.com/docs/changelog/compound).
 */
const variants =
  /^(anthropic-(beta|version)|openai-(beta|organization|project)|x-goog-(api-client-version|user-project)|api-version|x-amzn-bedrock-.*|x-policy-id|groq-model-version|x-snowflake-role)$/

/** Of sixteen digits with a point somewhere eight stand together. Written out, it is searched for in a sixth of the time. */
const MANY_DIGITS = /\d\d\d\d\d\d\d\d/
/** Numbers of a body that may be longer than what is parsed keeps of them. Texts that hold such are found too, which does no harm. */
const LONG_NUMBERS = /[[:,\s]-?\d[\d.]{15,}(?:[eE][+-]?\d+)?/g

/** Members that name a conversation which the provider keeps and every call adds to: OpenAI's Responses, Cohere's first chat API. */
const CONVERSATIONS = ['conversation', 'conversation_id']

/** What besides the parsed body can change an answer. */
const variantOf = ({ path, query, headers, plain, wire, stops }: Call): string => {
  const kept = withoutKeys(query)
  let text = wire?.forms?.address(path, kept) ?? path + kept
  for (const { target, upstream } of stops) text += `\n${target} ${upstream.settings.base_url ?? ''}`
  for (const name in headers) if (variants.test(name)) text += `\n${name}:${headers[name]}`
  const body = Buffer.from(plain.buffer, plain.byteOffset, plain.length).toString('latin1')
  const numbers = MANY_DIGITS.test(body) ? body.match(LONG_NUMBERS) : null
  return sealed(numbers ? `${text}\n${numbers.join()}` : text)
}

const payerFields = ['key_id', 'team', 'feature', 'customer', 'user', 'environment', 'session', 'agent'] as const
const circleOf = ({ payer, wire, reading }: Call): Circle => {
  const circle: { -readonly [name in keyof Circle]: Circle[name] } = { endpoint: reading?.endpoint ?? '' }
  if (wire) circle.wire = wire.name
  for (const name of payerFields) {
    const value = payer[name]
    if (value !== undefined) circle[name] = value
  }
  return circle
}

const NO_CHAIN: PrefixChain = { hashes: [], characters: [] }

/** A live call's face towards levers. What is dear to know is worked out when it is first asked for. */
export class Live implements LiveCall {
  readonly call_id: string
  readonly at_us: number
  readonly tenant: string
  readonly key_team: string | undefined
  readonly scope: string
  readonly account: string
  readonly provider: string
  readonly model: string
  readonly stream: boolean
  readonly #call: Call
  readonly #changes: readonly Change[]
  readonly #bytes_per_token: number
  readonly #bodies: Bodies | undefined
  #circle: Circle | undefined
  #chain: Chain | undefined
  #variant: string | undefined
  #fingerprints: LiveCall['fingerprints'] | undefined
  #outline: Outline | undefined
  #after: Readonly<{ outline: Outline; changes: number }> | undefined

  constructor(call: Call, upstream: Upstream, changes: readonly Change[], world: World) {
    this.#call = call
    this.#changes = changes
    this.#bodies = world.levers?.bodies
    this.#bytes_per_token = world.tokens.ratios.of(upstream.price_as, call.reading?.model ?? '').bytes_per_token
    this.call_id = call.id
    this.at_us = world.now_us()
    this.tenant = call.tenant ?? ''
    this.key_team = call.key?.team
    this.scope = world.tenants.scopeOf(call.key)
    const ours = upstream.has_credentials || world.settings.mode === 'keys'
    this.account = ours ? upstream.name : `${upstream.name}/${this.tenant}`
    this.provider = upstream.name
    this.model = call.reading?.model ?? ''
    this.stream = call.reading?.stream ?? false
  }

  get circle(): Circle {
    this.#circle ??= circleOf(this.#call)
    return this.#circle
  }

  get variant(): string {
    this.#variant ??= variantOf(this.#call)
    return this.#variant
  }

  get names_twice(): boolean {
    return bodyNamesTwice(this.#call)
  }

  get in_conversation(): boolean {
    const body = asRecord(this.#call.json)
    return CONVERSATIONS.some((name) => (body?.[name] ?? null) !== null)
  }

  beside(text: string): string | undefined {
    return besideText(this.#call.json, text)
  }

  asAsked(answer: StoredAnswer): StoredAnswer | string {
    const { wire, reading, query, json } = this.#call
    if (!wire?.forms || !reading) return answer
    const formed = wire.forms.as(answer, { reading, query, json })
    if (formed === answer) return answer
    return typeof formed === 'string' ? formed : { ...answer, ...formed }
  }

  get temperature(): number | undefined {
    return this.#call.reading?.temperature
  }

  get max_output_tokens(): number | undefined {
    return this.#call.reading?.max_output_tokens
  }

  get turns(): number | undefined {
    return this.#call.reading?.turns
  }

  get tool_count(): number | undefined {
    return this.#call.reading?.tool_count
  }

  get response_format(): string | undefined {
    return this.#call.reading?.response_format
  }

  get fingerprints(): LiveCall['fingerprints'] {
    if (this.#fingerprints) return this.#fingerprints
    const { fingerprint_exact, fingerprint_template, fingerprint_conversation } = promptOf(this.#call) ?? {}
    this.#fingerprints = {
      ...(fingerprint_exact === undefined ? {} : { exact: fingerprint_exact }),
      ...(fingerprint_template === undefined ? {} : { template: fingerprint_template }),
      ...(fingerprint_conversation === undefined ? {} : { conversation: fingerprint_conversation }),
    }
    return this.#fingerprints
  }

  get chain(): Chain {
    if (this.#chain) return this.#chain
    const whole = promptOf(this.#call)?.whole() ?? NO_CHAIN
    this.#chain = { hashes: whole.hashes, tokens: prefixTokens(whole, undefined, this.#bytes_per_token) }
    return this.#chain
  }

  outline(): Outline | undefined {
    const { wire, json, reading } = this.#call
    if (!wire?.editor || !reading) return undefined
    this.#outline ??= wire.editor.outline(json, reading.parts, this.#known())
    const { length } = this.#changes
    const { outline, changes } = this.#after ?? { outline: this.#outline, changes: 0 }
    if (changes === length) return outline
    this.#after = { outline: afterChanges(outline, this.#changes.slice(changes)), changes: length }
    return this.#after.outline
  }

  /** The edits of the body that make these changes. */
  edits(changes: readonly Change[]): readonly Edit[] {
    const { wire, plain, json } = this.#call
    return wire?.editor?.edits(plain, json, changes, this.#outline) ?? []
  }

  /** The body beside the last one of its conversation; undefined where nothing tells which that was. */
  #known(): KnownBody | undefined {
    const { plain: body, wire, tenant } = this.#call
    const { conversation } = this.fingerprints
    const memory = this.#bodies
    if (!memory || conversation === undefined || body.length > LONGEST_BODY) return undefined
    return { body, name: `${wire?.name} ${tenant} ${conversation}`, memory }
  }
}
