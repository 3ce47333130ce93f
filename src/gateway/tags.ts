import { WeirError } from '../core/errors.ts'
import type { KeyRecord } from '../core/store.ts'
import type { BodyTags, Headers } from '../core/wire.ts'
import type { Payer } from './call.ts'

/** Longest tag value and name, and most tags on a call; what is longer is cut, what is more is left out. */
const LONGEST_VALUE = 256
const LONGEST_NAME = 64
const MOST_TAGS = 32

/** Fields of a payer, and the `x-weir-*` headers of their names. */
export const fields = ['team', 'feature', 'customer', 'user', 'session', 'environment', 'agent'] as const

/** A value as it may stand on a receipt: bounded, without control characters; undefined when nothing is left. */
const clean = (value: string | undefined): string | undefined => {
  if (value === undefined || value === '') return undefined
  const cut = value.length > LONGEST_VALUE ? value.slice(0, LONGEST_VALUE) : value
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  const text = /[\u0000-\u001f\u007f-\u009f]/.test(cut) ? cut.replace(/[\u0000-\u001f\u007f-\u009f]/g, '') : cut
  return text.trim() || undefined
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Node reads headers as Latin-1, one character a byte; most clients mean UTF-8. What is none stays as it is. */
const meant = (header: string): string => {
  if (!/[\u0080-\u00ff]/.test(header)) return header
  try {
    return utf8.decode(Buffer.from(header, 'latin1'))
  } catch {
    return header
  }
}

/** Adds tags that are not set yet, up to the bound. */
const addTags = (payer: Payer, tags: Readonly<Record<string, string>>): void => {
  const all: Record<string, string> = { ...payer.tags }
  let count = Object.keys(all).length
  for (const name in tags) {
    const value = clean(tags[name])
    const short = name.slice(0, LONGEST_NAME)
    if (count >= MOST_TAGS || value === undefined || Object.hasOwn(all, short)) continue
    all[short] = value
    count += 1
  }
  if (count > 0) payer.tags = all
}

/** W3C Trace Context: `00-<trace>-<span>-<flags>`. */
const trace = (payer: Payer, header: string): void => {
  const [, trace_id, span_id] = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/.exec(header) ?? []
  if (trace_id === undefined || span_id === undefined) return
  payer.trace_id = trace_id
  payer.span_id = span_id
}

/** `x-weir-deadline`: an ISO instant, or a number of seconds from now. Throws `bad-request` on anything else. */
const deadline = (value: string, now_us: number): number => {
  if (/^\d+(\.\d+)?$/.test(value)) return now_us + Math.round(Number(value) * 1e6)
  const at = Date.parse(value)
  if (Number.isNaN(at))
    throw new WeirError('bad-request', 'x-weir-deadline must be an ISO 8601 instant or a number of seconds from now.')
  return at * 1000
}

const weirHeader = (payer: Payer, name: string, header: string, now_us: number): void => {
  const value = meant(header)
  const word = name.slice('x-weir-'.length)
  if (word.startsWith('tag-')) addTags(payer, { [word.slice('tag-'.length)]: value })
  else if (word === 'deadline') payer.deadline_at_us = deadline(value, now_us)
  else if (word === 'deferrable') payer.deferrable = value === 'true' || value === '1'
  else if (word === 'step') {
    if (/^\d{1,9}$/.test(value)) payer.step = Number(value)
  } else {
    const field = fields.find((known) => known === word)
    const text = clean(value)
    if (field && text !== undefined) payer[field] = text
  }
}

/** What the key fixes wins over anything the client says; then the `x-weir-*` headers. */
export const headerTags = (payer: Payer, headers: Headers, key: KeyRecord | undefined, now_us: number): void => {
  for (const name in headers) {
    const value = headers[name]
    if (name.startsWith('x-weir-') && value !== undefined) weirHeader(payer, name, value, now_us)
    else if (name === 'traceparent' && value !== undefined) trace(payer, value)
  }
  if (!key) return
  payer.key_id = key.id
  if (key.team !== undefined) payer.team = key.team
  if (key.feature !== undefined) payer.feature = key.feature
  if (key.customer !== undefined) payer.customer = key.customer
  if (key.environment !== undefined) payer.environment = key.environment
  const said = payer.tags
  delete payer.tags
  addTags(payer, key.tags)
  if (said) addTags(payer, said)
}

/** The body's own fields, where neither key nor header said it. */
export const bodyTags = (payer: Payer, said: BodyTags): void => {
  for (const field of fields) {
    if (payer[field] !== undefined) continue
    const text = clean(said[field])
    if (text !== undefined) payer[field] = text
  }
  if (said.tags) addTags(payer, said.tags)
}
