import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  type ConverseStreamOutput,
} from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { wire } from '../../src/wires/bedrock-converse.ts'
import { CORRUPT, type EventMessage, encodeEvent, splitEventStream } from '../../src/wires/framing/event-stream.ts'
import { bytes, cutAt, seeded, text } from './feeding.ts'

const message = (type: string, body: unknown): Uint8Array =>
  encodeEvent(
    { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' },
    bytes(JSON.stringify(body)),
  )

const first = message('messageStart', { role: 'assistant' })
const conversation = Buffer.concat([
  first,
  message('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Grüße, ' } }),
  message('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Welt' } }),
  message('contentBlockStop', { contentBlockIndex: 0 }),
  message('messageStop', { stopReason: 'end_turn' }),
  message('metadata', { usage: { inputTokens: 7, outputTokens: 3, totalTokens: 10 }, metrics: { latencyMs: 5 } }),
])

const messagesIn = (pieces: readonly Uint8Array[], limit?: number) => {
  const found: EventMessage[] = []
  const covered: Uint8Array[] = []
  const splitter = splitEventStream(limit)
  const emit = (frame: EventMessage | undefined, covers: Uint8Array) => {
    if (frame) found.push({ headers: frame.headers, payload: Uint8Array.from(frame.payload) })
    covered.push(covers)
  }
  for (const piece of pieces) splitter.push(piece, emit)
  splitter.end(emit)
  return { found, covered: Buffer.concat([...covered, splitter.held()]), broken: splitter.broken }
}

describe('the binary event stream', () => {
  test('is cut into the same messages however its bytes arrive, and every byte is covered', () => {
    const whole = messagesIn([conversation])
    expect(whole.found.map(({ headers }) => headers[':event-type'])).toEqual([
      'messageStart',
      'contentBlockDelta',
      'contentBlockDelta',
      'contentBlockStop',
      'messageStop',
      'metadata',
    ])
    const each = Array.from(conversation, (byte) => Uint8Array.of(byte))
    expect(messagesIn(each)).toEqual(whole)
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 60 }), (seed, pieces) => {
        const split = messagesIn(cutAt(conversation, seeded(seed), pieces))
        expect(split.found).toEqual(whole.found)
        expect(split.covered.equals(conversation)).toBe(true)
      }),
      { seed: 11, numRuns: 200 },
    )
  })

  test('any headers and payload come back as they were written', () => {
    const headers = fc.dictionary(
      fc.string({ minLength: 1, maxLength: 20 }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      { maxKeys: 6 },
    )
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 2000 }), (written, payload) => {
        const { found } = messagesIn([encodeEvent(written, payload)])
        expect(found).toHaveLength(1)
        expect({ ...found[0]?.headers }).toEqual({ ...written })
        expect(Buffer.from(found[0]?.payload ?? []).equals(Buffer.from(payload))).toBe(true)
      }),
      { seed: 12, numRuns: 200, examples: [[{}, new Uint8Array(0)]] },
    )
  })

  test('one wrong bit anywhere ends the reading with one corrupt message, and nothing after it is believed', () => {
    fc.assert(
      fc.property(fc.nat({ max: conversation.length * 8 - 1 }), (bit) => {
        const damaged = Uint8Array.from(conversation)
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const { found, covered, broken } = messagesIn([damaged])
        expect(broken).toBe(true)
        expect(found.at(-1)?.headers[':message-type']).toBe(CORRUPT)
        expect(found.filter(({ headers }) => headers[':message-type'] === CORRUPT)).toHaveLength(1)
        expect(covered.length).toBeGreaterThan(0)
      }),
      { seed: 13, numRuns: 400 },
    )
  })

  test('a cut stream yields the whole messages and no more', () => {
    fc.assert(
      fc.property(fc.nat({ max: conversation.length - 1 }), (length) => {
        const { found, broken } = messagesIn([conversation.subarray(0, length)])
        expect(broken).toBe(false)
        expect(found.length).toBeLessThan(6)
        expect(found).toEqual(messagesIn([conversation]).found.slice(0, found.length))
      }),
      { seed: 14, numRuns: 200 },
    )
  })

  test('a frame beyond the bound is given up, not gathered', () => {
    const large = message('contentBlockDelta', { delta: { text: 'x'.repeat(5000) } })
    expect(messagesIn([large, conversation], 4096)).toMatchObject({
      broken: true,
      found: [{ headers: { ':message-type': CORRUPT } }],
    })
  })

  test('headers that are no text are passed over', () => {
    const head = Buffer.concat([
      Buffer.from([1, 0x61, 0]), // a: true
      Buffer.from([1, 0x62, 4, 0, 0, 0, 9]), // b: int
      Buffer.from([1, 0x63, 8, 0, 0, 0, 0, 0, 0, 0, 1]), // c: timestamp
      Buffer.from([1, 0x64, 6, 0, 2, 1, 2]), // d: bytes
      Buffer.from([1, 0x65, 7, 0, 1, 0x7a]), // e: 'z'
    ])
    const template = encodeEvent({}, bytes('{}'))
    const frame = Buffer.concat([template.subarray(0, 12), head, template.subarray(12)])
    frame.writeUInt32BE(frame.length, 0)
    frame.writeUInt32BE(head.length, 4)
    frame.writeUInt32BE(crc(frame.subarray(0, 8)), 8)
    frame.writeUInt32BE(crc(frame.subarray(0, -4)), frame.length - 4)
    expect(messagesIn([frame]).found).toMatchObject([{ headers: { e: 'z' } }])
  })
})

/** CRC-32 by its definition, so that the test does not take the code's word for it. */
const crc = (data: Uint8Array): number => {
  let value = 0xffffffff
  for (const byte of data) {
    value ^= byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  }
  return (value ^ 0xffffffff) >>> 0
}

/** AWS's own SDK against a server on loopback that answers with these bytes. */
const withSdk = async <T>(
  answer: Readonly<{ status: number; headers: Readonly<Record<string, string>>; body: Uint8Array }>,
  use: (client: BedrockRuntimeClient) => Promise<T>,
): Promise<T> => {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(answer.status, answer.headers)
    response.end(answer.body)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
    // Its own choice is HTTP/2, which it would speak to a plain address, too.
    requestHandler: new NodeHttpHandler(),
  })
  try {
    return await use(client)
  } finally {
    client.destroy()
    server.close()
  }
}

const command = { modelId: 'm', messages: [{ role: 'user' as const, content: [{ text: 'hi' }] }] }
const type = 'application/vnd.amazon.eventstream'

describe("AWS's own SDK", () => {
  const events = async (body: Uint8Array): Promise<{ seen: ConverseStreamOutput[]; failure: unknown }> =>
    withSdk({ status: 200, headers: { 'content-type': type }, body }, async (client) => {
      const answer = await client.send(new ConverseStreamCommand(command))
      const seen: ConverseStreamOutput[] = []
      try {
        for await (const event of answer.stream ?? []) seen.push(event)
      } catch (failure) {
        return { seen, failure }
      }
      return { seen, failure: undefined }
    })

  test('reads the frames that we write', async () => {
    const { seen } = await events(conversation)
    expect(seen).toHaveLength(6)
    expect(seen[1]?.contentBlockDelta?.delta?.text).toBe('Grüße, ')
    expect(seen[5]?.metadata?.usage?.totalTokens).toBe(10)
  })

  test('gets an error in an open stream as the exception that it knows', async () => {
    const shaped = wire.shape(new WeirError('provider-cut', 'The provider ended early.'), true)
    expect(shaped.headers['content-type']).toBe(type)
    const { seen, failure } = await events(Buffer.concat([first, shaped.body]))
    expect(seen.length).toBe(1)
    expect(failure).toMatchObject({ name: 'ServiceUnavailableException', message: 'The provider ended early.' })
  })

  test.each([
    ['rate-limited', 'ThrottlingException', 429],
    ['bad-request', 'ValidationException', 400],
    ['unknown-key', 'AccessDeniedException', 401],
    ['unknown-model', 'ResourceNotFoundException', 404],
    ['provider-timeout', 'ModelTimeoutException', 504],
    ['overloaded', 'ServiceUnavailableException', 503],
    ['internal', 'InternalServerException', 500],
  ] as const)('gets %s as %s', async (code, name, status) => {
    const shaped = wire.shape(new WeirError(code, 'What went wrong.', { retry_after_s: 2.5 }))
    expect(shaped.headers['retry-after']).toBe('3')
    const failure = await withSdk(shaped, (client) =>
      client.send(new ConverseCommand(command)).catch((error: unknown) => error),
    )
    expect(failure).toMatchObject({ name, message: 'What went wrong.', $metadata: { httpStatusCode: status } })
    expect(text(shaped.body)).toBe('{"message":"What went wrong."}')
  })
})
