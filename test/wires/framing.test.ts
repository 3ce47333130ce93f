import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Metered } from '../../src/core/wire.ts'
import { splitJsonArray } from '../../src/wires/framing/json-array.ts'
import {
  type Fold,
  HIDDEN,
  meterBody,
  meterFrames,
  meterJsonArray,
  meterSse,
} from '../../src/wires/framing/metering.ts'
import { dataOf, type Splitter, splitSse } from '../../src/wires/framing/sse.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (piece: Uint8Array) => new TextDecoder().decode(piece)
const parameters = { seed: 20261123 }

/** Cuts bytes at the given places (fractions of the length). */
const cut = (whole: Uint8Array, places: readonly number[]) => {
  const marks = [0, ...places.map((place) => Math.floor(place * whole.length)).sort((a, b) => a - b), whole.length]
  return marks.slice(1).map((end, i) => whole.subarray(marks[i], end))
}
const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

const frames = (splitter: Splitter<string>, pieces: readonly Uint8Array[]) => {
  const seen: (string | undefined)[] = []
  const raw: Uint8Array[] = []
  const emit = (frame: string | undefined, piece: Uint8Array) => {
    seen.push(frame)
    raw.push(piece)
  }
  for (const piece of pieces) splitter.push(piece, emit)
  splitter.end(emit)
  return { seen, raw: Buffer.concat(raw) }
}

const metered: Metered = { complete: true, output_text: '' }
/** A fold that records what it reads and answers as `verdict` says. */
const recording = (verdict: (data: string) => Uint8Array | undefined) => {
  const seen: string[] = []
  const fold: Fold<string> = {
    started: false,
    done: false,
    read(data) {
      seen.push(data)
      return verdict(data)
    },
    finish: () => metered,
  }
  return { fold, seen }
}

describe('server-sent events', () => {
  const lines = fc.constantFrom('\n', '\r\n', '\r')
  const data = fc.string({ unit: 'grapheme', maxLength: 20 }).map((value) => value.replace(/[\r\n]/g, '·'))
  const streams = fc.record({
    events: fc.array(
      fc.oneof(
        data.map((value) => [value]),
        fc.array(data, { minLength: 1, maxLength: 3 }),
      ),
      {
        maxLength: 6,
      },
    ),
    line: lines,
    named: fc.boolean(),
    closed: fc.boolean(),
    places,
  })

  test('every event is found whatever its line ends are and wherever its bytes are cut', () => {
    fc.assert(
      fc.property(streams, ({ events, line, named, closed, places }) => {
        const written = events.map(
          (values) => `${named ? `event: x${line}` : ''}${values.map((value) => `data: ${value}${line}`).join('')}`,
        )
        const whole = bytes(written.map((event) => `: ping${line}${line}${event}${line}`).join(''))
        const sent = closed || whole.length === 0 ? whole : whole.subarray(0, whole.length - line.length)
        const { seen, raw } = frames(splitSse(), cut(sent, places))
        expect(seen.filter((frame) => frame !== undefined)).toEqual(events.map((values) => values.join('\n')))
        expect(text(raw)).toBe(text(sent))
      }),
      parameters,
    )
  })

  test('data without a space, without a value, over several lines and behind other fields is read as the standard says', () => {
    expect(dataOf('data:a\n\n')).toBe('a')
    expect(dataOf('data\n\n')).toBe('')
    expect(dataOf('data: a\ndata: b\n\n')).toBe('a\nb')
    expect(dataOf('id: 7\nevent: x\ndata: {"a":1}\nretry: 5\n\n')).toBe('{"a":1}')
    expect(dataOf('event: x\r\ndata: {"a":1}\r\n\r\n')).toBe('{"a":1}')
    expect(dataOf('event: x\n\n')).toBeUndefined()
    expect(dataOf(': OPENROUTER PROCESSING\n\n')).toBeUndefined()
    expect(dataOf('\uFEFFdata: a\n\n')).toBe('a')
  })

  test('an event is told as soon as its blank line is there, not with the next chunk', () => {
    const { fold, seen } = recording(() => undefined)
    const metering = meterSse(fold, true)
    expect(text(metering.push(bytes('data: a\n\ndata: b')))).toBe('data: a\n\n')
    expect(seen).toEqual(['a'])
    expect(text(metering.push(bytes('\n\n')))).toBe('data: b\n\n')
  })

  test('an event beyond the bound is not read, and its bytes and all later ones still pass', () => {
    const { fold, seen } = recording(() => HIDDEN)
    const metering = meterFrames(splitSse(64), fold, true)
    const parts = ['data: hidden\n\n', `data: ${'x'.repeat(100)}`, 'y\n\n', 'data: later\n\n']
    const passed = parts.map((part) => text(metering.push(bytes(part))))
    metering.end()
    expect(passed.join('')).toBe(parts.slice(1).join(''))
    expect(seen).toEqual(['hidden'])
  })
})

describe('metering of a stream', () => {
  test('the very array that came in goes out when nothing is hidden', () => {
    const chunk = bytes('data: a\n\n: note\n\ndata: b\n\n')
    const part = bytes('data: half')
    expect(meterSse(recording(() => undefined).fold, true).push(chunk)).toBe(chunk)
    const open = meterSse(recording(() => HIDDEN).fold, false)
    expect(open.push(chunk)).toBe(chunk)
    expect(open.push(part)).toBe(part)
    expect(open.end()).toHaveLength(0)
  })

  test('hiding removes exactly the hidden events and replaces exactly the replaced ones, wherever the bytes are cut', () => {
    const kinds = fc.array(fc.constantFrom('keep', 'hide', 'swap', 'comment'), { maxLength: 12 })
    const written = (kind: string) => (kind === 'comment' ? ': né\r\n\r\n' : `data: ${kind} é\r\n\r\n`)
    const wanted = (kind: string) => ({ hide: '', swap: 'data: new\n\n' })[kind] ?? written(kind)
    const verdict = (data: string) =>
      data.startsWith('hide') ? HIDDEN : data.startsWith('swap') ? bytes('data: new\n\n') : undefined
    fc.assert(
      fc.property(kinds, places, (events, marks) => {
        const metering = meterSse(recording(verdict).fold, true)
        const out = cut(bytes(events.map(written).join('')), marks).map((piece) => metering.push(piece))
        expect(text(Buffer.concat([...out, metering.end()]))).toBe(events.map(wanted).join(''))
      }),
      parameters,
    )
  })

  test('a fold that throws does not stop the stream, and the usage says so', () => {
    const usage = { lines: [], totals: { input: 0, output: 0 }, quality: 'exact' as const, warnings: [], raw: null }
    const fold: Fold<string> = {
      started: false,
      done: false,
      read() {
        throw new Error('odd')
      },
      finish: () => ({ ...metered, usage }),
    }
    const metering = meterSse(fold, true)
    expect(text(metering.push(bytes('data: a\n\n')))).toBe('data: a\n\n')
    expect(metering.finish().usage?.warnings).toEqual(['1 events could not be read'])
  })
})

describe('a stream that is one JSON array', () => {
  test('its elements are found wherever the bytes are cut, brackets and quotes in strings notwithstanding', () => {
    const values = fc.array(fc.record({ a: fc.json(), b: fc.string(), c: fc.constantFrom('}]', '\\"{', '"') }))
    fc.assert(
      fc.property(values, places, fc.constantFrom(0, 2), (list, marks, indent) => {
        const whole = bytes(JSON.stringify(list, null, indent))
        const { seen, raw } = frames(splitJsonArray(), cut(whole, marks))
        expect(seen.filter((frame) => frame !== undefined).map((frame) => JSON.parse(frame))).toEqual(list)
        expect(text(raw)).toBe(text(whole))
      }),
      parameters,
    )
  })

  test('a bare object, as an error body is, is one element', () => {
    const { fold, seen } = recording(() => undefined)
    const metering = meterJsonArray(fold)
    metering.push(bytes('{"error":{"code"'))
    metering.push(bytes(':429}}\n'))
    expect(seen).toEqual(['{"error":{"code":429}}'])
  })
})

test('a whole body is read once it is there, and again after more bytes came', () => {
  const metering = meterBody(({ json, ended }) => ({
    ...metered,
    complete: ended && json() !== undefined,
    output_text: JSON.stringify(json() ?? 'none'),
  }))
  const chunk = bytes('{"a":')
  expect(metering.push(chunk)).toBe(chunk)
  expect(metering.finish()).toMatchObject({ complete: false, output_text: '"none"' })
  metering.push(bytes('"é"}'))
  metering.end()
  expect(metering.finish()).toMatchObject({ complete: true, output_text: '{"a":"é"}' })
})
