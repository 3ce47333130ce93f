import { WeirError } from '../core/errors.ts'
import { labelOf } from '../core/label.ts'
import type { KeyRecord } from '../core/store.ts'
import type { BodyTags, Headers } from '../core/wire.ts'
import { type Payer, payerFields } from './call.ts'
import { leverSlips, nameSlip } from './slips.ts'

/** Longest tag name, and most tags on a call; what is longer is cut, what is more is left out. */
const LONGEST_NAME = 64
const MOST_TAGS = 32
/** So many slips are told of at most. */
const MOST_SLIPS = 5

const clean = (value: string | undefined): string | undefined => (value === undefined ? undefined : labelOf(value))

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

/** Reads a header's value. Gives back what of it cannot be read. */
type Read = (payer: Payer, value: string, now_us: number) => readonly string[]

const FINE: readonly string[] = []

const fieldReader =
  (field: (typeof payerFields)[number]): Read =>
  (payer, value) => {
    const text = clean(value)
    if (text !== undefined) payer[field] = text
    return FINE
  }

/** The headers by which a client speaks to Weir, without `x-weir-`; beside them `tag-NAME`. */
const readers: ReadonlyMap<string, Read> = new Map<string, Read>([
  ...payerFields.map((field) => [field, fieldReader(field)] as const),
  [
    'step',
    (payer, value) => {
      if (!/^\d{1,9}$/.test(value)) return ['x-weir-step is no whole number']
      payer.step = Number(value)
      return FINE
    },
  ],
  [
    'deadline',
    (payer, value, now_us) => {
      payer.deadline_at_us = deadline(value, now_us)
      return FINE
    },
  ],
  [
    'deferrable',
    (payer, value) => {
      payer.deferrable = value === 'true' || value === '1'
      return payer.deferrable || value === 'false' || value === '0'
        ? FINE
        : ['x-weir-deferrable is neither true nor false']
    },
  ],
  // Which levers are waived is read when they are pulled.
  ['levers', (_, value) => leverSlips(value)],
])

/** What may be meant by a header that there is not. */
const asked = [...readers.keys(), 'tag-NAME']

/** Reads one header, without its `x-weir-`. Throws `bad-request` for a deadline that is none. */
const weirHeader = (payer: Payer, word: string, header: string, now_us: number): readonly string[] => {
  const value = meant(header)
  const read = readers.get(word)
  if (read) return read(payer, value, now_us)
  if (word.startsWith('tag-') && word.length > 'tag-'.length) addTags(payer, { [word.slice('tag-'.length)]: value })
  // By that name calls of Weir's own are known.
  else if (word !== 'errand') return [nameSlip(word, asked)]
  return FINE
}

/**
 * What the key fixes wins over anything the client says; then the `x-weir-*` headers. Gives back what of them cannot be read, which
 * stands on the receipt as warnings and on the answer as `x-weir-warning`; undefined where all can.
 */
export const headerTags = (
  payer: Payer,
  headers: Headers,
  key: KeyRecord | undefined,
  now_us: number,
): readonly string[] | undefined => {
  let slips: readonly string[] | undefined
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined) continue
    if (name.startsWith('x-weir-')) {
      const found = weirHeader(payer, name.slice('x-weir-'.length), value, now_us)
      if (found.length > 0) slips = [...(slips ?? []), ...found].slice(0, MOST_SLIPS)
    } else if (name === 'traceparent') trace(payer, value)
  }
  if (key) fix(payer, key)
  return slips
}

/** What the key fixes. */
const fix = (payer: Payer, key: KeyRecord): void => {
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
  for (const field of payerFields) {
    if (payer[field] !== undefined) continue
    const text = clean(said[field])
    if (text !== undefined) payer[field] = text
  }
  if (said.tags) addTags(payer, said.tags)
}
