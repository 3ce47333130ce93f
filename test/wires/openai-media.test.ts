/** Embeddings, images and audio of OpenAI's family. */
import { describe, expect, test } from 'vitest'
import { formFields } from '../../src/wires/framing/multipart.ts'
import { wire as audio } from '../../src/wires/openai-audio.ts'
import { wire as embeddings } from '../../src/wires/openai-embeddings.ts'
import { wire as images } from '../../src/wires/openai-images.ts'
import { bytes, type Call, feed, meter, read, text } from './feeding.ts'

const boundary = 'xYzBoundary'
const form = (fields: Readonly<Record<string, string>>, file = '\u0000\r\n--xYz\r\n\r\nbinary'): Uint8Array => {
  const head = (name: string) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"`
  const parts = Object.entries(fields).map(([name, value]) => `${head(name)}\r\n\r\n${value}\r\n`)
  const sent = `${head('file')}; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n${file}\r\n`
  return bytes([sent, ...parts, `--${boundary}--\r\n`].join(''))
}
const form_headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }

describe('embeddings', () => {
  const call: Call = { wire: embeddings, path: '/v1/embeddings', request: { model: 'e', input: ['a', 'b'] } }

  test('are input tokens only, also where a server states nothing but the total', () => {
    const tokens = (usage: unknown) => meter(call, { data: [], model: 'e', usage }).usage
    expect(tokens({ prompt_tokens: 12, total_tokens: 12 })?.lines[0]?.tokens).toEqual({ 'in.text.fresh': 12 })
    expect(tokens({ total_tokens: 12 })).toMatchObject({
      lines: [{ tokens: { 'in.text.fresh': 12 }, context_tokens: 12 }],
      totals: { input: 12, output: 0, provider_total: 12 },
      raw: { total_tokens: 12 },
    })
    expect(tokens(undefined)).toBeUndefined()
  })

  test('of any size are read without parsing their vectors', () => {
    const data = [{ embedding: Array.from({ length: 40_000 }, (_, i) => i / 3) }]
    const whole = bytes(
      JSON.stringify({ object: 'list', data, model: 'e-1', usage: { prompt_tokens: 7, total_tokens: 7 } }),
    )
    expect(whole.length).toBeGreaterThan(64 * 1024)
    expect(feed(call, [whole.subarray(0, 1000), whole.subarray(1000)]).metered).toMatchObject({
      model_served: 'e-1',
      usage: { totals: { input: 7, output: 0 } },
    })
  })

  test('are counted by what is sent', () => {
    expect(read(call).reading).toMatchObject({ endpoint: 'embeddings', parts: [{ kind: 'user', text: 'a\nb' }] })
    expect(read({ ...call, request: { model: 'e', input: [1, 2] } }).reading.parts).toEqual([])
  })
})

describe('images', () => {
  const call: Call = {
    wire: images,
    path: '/v1/images/generations',
    request: { model: 'gpt-image-1', prompt: 'a cat' },
  }
  const usage = {
    total_tokens: 4250,
    input_tokens: 250,
    input_tokens_details: { text_tokens: 50, image_tokens: 200 },
    output_tokens: 4000,
  }

  test('of gpt-image are text and image tokens in, image tokens out', () => {
    const tokens = meter(call, { data: [{ b64_json: 'x' }], usage }).usage?.lines[0]
    expect(tokens).toMatchObject({
      tokens: { 'in.text.fresh': 50, 'in.image.fresh': 200, 'out.image.visible': 4000 },
      units: {},
    })
  })

  test('that were cached or answered in words are told apart', () => {
    const details = {
      text_tokens: 50,
      image_tokens: 200,
      cached_tokens_details: { text_tokens: 30, image_tokens: 100 },
    }
    const answer = {
      data: [],
      usage: { ...usage, input_tokens_details: details, output_tokens_details: { text_tokens: 100 } },
    }
    expect(meter(call, answer).usage?.lines[0]?.tokens).toEqual({
      'in.text.fresh': 20,
      'in.text.cache_read': 30,
      'in.image.fresh': 100,
      'in.image.cache_read': 100,
      'out.text.visible': 100,
      'out.image.visible': 3900,
    })
  })

  test('without usage are billed by the piece, with what chooses their price', () => {
    const dalle = { ...call, request: { model: 'dall-e-3', prompt: 'a', quality: 'hd', n: 2 } }
    const answer = { created: 1, data: [{ url: 'a' }, { url: 'b' }] }
    expect(meter(dalle, answer).usage?.lines[0]?.units).toEqual({
      'image.generated': { n: 2, attrs: { size: '1024x1024', quality: 'hd' } },
    })
    const other = { ...call, request: { model: 'flux', prompt: 'a', width: 512, height: 768 } }
    expect(meter(other, answer).usage?.lines[0]?.units).toEqual({
      'image.generated': { n: 2, attrs: { size: '512x768' } },
    })
  })

  test('of any size are counted without parsing them', () => {
    const answer = { data: [{ b64_json: 'A'.repeat(200_000) }, { b64_json: 'B'.repeat(10) }], size: '1536x1024' }
    expect(meter({ ...call, request: { model: 'flux', prompt: 'a' } }, answer).usage?.lines[0]?.units).toEqual({
      'image.generated': { n: 2, attrs: { size: '1536x1024' } },
    })
  })

  test('edited from a form are read without touching the form', () => {
    const request = form({ model: 'dall-e-2', prompt: 'add a hat', size: '512x512', stream: 'false' })
    const edits: Call = { wire: images, path: '/v1/images/edits', headers: form_headers, request }
    const { reading, sent } = read(edits)
    expect(reading).toMatchObject({
      endpoint: 'images.edits',
      model: 'dall-e-2',
      stream: false,
      unit_attrs: { size: '512x512' },
    })
    expect(Buffer.compare(sent, request)).toBe(0)
    expect(meter(edits, { data: [{ url: 'a' }] }).usage?.lines[0]?.units).toEqual({
      'image.generated': { n: 1, attrs: { size: '512x512', quality: 'standard' } },
    })
  })

  test('that stream state usage when they are completed, not with their partial pictures', () => {
    const streamed = { ...call, request: { model: 'gpt-image-1', prompt: 'a', stream: true, partial_images: 2 } }
    const events = [
      { type: 'image_generation.partial_image', b64_json: 'x' },
      { type: 'image_generation.completed', b64_json: 'x', usage },
    ]
    const answer = bytes(events.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join(''))
    const { metered, passed } = feed(streamed, [answer])
    expect(metered).toMatchObject({
      complete: true,
      usage: { totals: { input: 250, output: 4000, provider_total: 4250 } },
    })
    expect(text(passed)).toBe(text(answer))
  })

  test('that failed bill nothing', () => {
    expect(meter({ ...call, status: 400 }, { error: { code: 'moderation_blocked', message: 'no' } })).toEqual({
      error: { code: 'moderation_blocked', message: 'no' },
      complete: true,
      output_text: '',
    })
  })
})

describe('audio', () => {
  const request = form({ model: 'gpt-4o-transcribe', response_format: 'json', stream: 'true', prompt: 'names' })
  const call: Call = { wire: audio, path: '/v1/audio/transcriptions', headers: form_headers, request }
  const whole = { ...call, request: form({ model: 'whisper-1' }) }

  test('in a form tells model, stream and format, and passes byte for byte', () => {
    const { reading, sent } = read(call)
    expect(reading).toMatchObject({
      endpoint: 'audio.transcriptions',
      model: 'gpt-4o-transcribe',
      stream: true,
      response_format: 'json',
      parts: [{ kind: 'user', text: 'names' }],
    })
    expect(Buffer.compare(sent, request)).toBe(0)
  })

  test('transcribed by tokens is sound and text in, text out', () => {
    const usage = {
      type: 'tokens',
      input_tokens: 14,
      input_token_details: { text_tokens: 4, audio_tokens: 10 },
      output_tokens: 45,
      total_tokens: 59,
    }
    expect(meter(whole, { text: 'hello', usage }).usage).toMatchObject({
      lines: [{ tokens: { 'in.text.fresh': 4, 'in.audio.fresh': 10, 'out.text.visible': 45 } }],
      quality: 'exact',
    })
    const done = { type: 'transcript.text.done', text: 'hello', usage }
    const delta = { type: 'transcript.text.delta', delta: 'hel' }
    const events = bytes([delta, done].map((one) => `data: ${JSON.stringify(one)}\n\n`).join(''))
    expect(feed(call, [events]).metered).toMatchObject({ complete: true, usage: { totals: { input: 14, output: 45 } } })
    expect(feed(call, [events.subarray(0, 60)], true).metered).toMatchObject({ complete: false, output_text: 'hel' })
  })

  test('transcribed by the second is seconds, as stated or as the length of the audio', () => {
    const stated = meter(whole, { text: 'hello', usage: { type: 'duration', seconds: 9 } }).usage
    expect(stated?.lines[0]).toMatchObject({ tokens: {}, units: { 'audio_in.second': { n: 9 } } })
    const verbose = meter(whole, { task: 'transcribe', duration: 8.47, text: 'hello' }).usage
    expect(verbose).toMatchObject({ lines: [{ units: { 'audio_in.second': { n: 8.47 } } }], quality: 'inferred' })
  })

  test('transcribed into plain text has no usage and leaves its text', () => {
    expect(meter(whole, bytes('1\n00:00 --> 00:01\nhello'))).toEqual({
      complete: true,
      output_text: '1\n00:00 --> 00:01\nhello',
    })
  })

  test('spoken is characters, or tokens where the stream states them', () => {
    const speech: Call = {
      wire: audio,
      path: '/v1/audio/speech',
      request: { model: 'tts-1', input: 'héllo 👋', voice: 'a' },
    }
    const answer_headers = { 'content-type': 'audio/mpeg' }
    expect(meter({ ...speech, answer_headers }, new Uint8Array([1, 2, 3])).usage?.lines[0]?.units).toEqual({
      'tts.char': { n: 7 },
    })
    expect(meter({ ...speech, status: 400 }, { error: { message: 'no', code: 'bad' } })).toEqual({
      error: { code: 'bad', message: 'no' },
      complete: true,
      output_text: '',
    })
    const streamed = { ...speech, request: { model: 'gpt-4o-mini-tts', input: 'hi', stream_format: 'sse' } }
    const events = [
      { type: 'speech.audio.delta', audio: 'x' },
      { type: 'speech.audio.done', usage: { input_tokens: 5, output_tokens: 80, total_tokens: 85 } },
    ]
    const answer = bytes(events.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(''))
    expect(feed(streamed, [answer]).metered.usage?.lines[0]?.tokens).toEqual({
      'in.text.fresh': 5,
      'out.audio.visible': 80,
    })
  })
})

describe('forms', () => {
  test('are read whatever their files hold, and files are never looked into', () => {
    const body = form({ model: 'm', note: 'a\r\nb' }, `x\r\n\r\n--${boundary.slice(0, 5)} name="model"`)
    expect(formFields(body, form_headers['content-type'])).toEqual({ model: 'm', note: 'a\r\nb' })
    expect(formFields(body, `multipart/form-data; charset=utf-8; boundary="${boundary}"`)).toMatchObject({ model: 'm' })
  })

  test('that are none or broken give no fields and no error', () => {
    expect(formFields(bytes('{}'), 'application/json')).toBeUndefined()
    expect(formFields(bytes(`--${boundary}`), form_headers['content-type'])).toEqual({})
    expect(formFields(bytes(''), form_headers['content-type'])).toEqual({})
    expect(formFields(form({ model: 'm' }).subarray(0, 90), form_headers['content-type'])).toEqual({})
  })

  test('without model are still calls, and other bodies are refused', () => {
    const call: Call = { wire: audio, path: '/v1/audio/transcriptions', headers: form_headers, request: form({}) }
    expect(read(call).reading.model).toBeUndefined()
    expect(() => read({ ...call, headers: {} })).toThrow(expect.objectContaining({ code: 'malformed-json' }))
  })
})
