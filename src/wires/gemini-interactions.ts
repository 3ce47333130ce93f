import type { Reading, Wire, WireRequest } from '../core/wire.ts'
import { isEventStream, meterBody, meterSse } from './framing/metering.ts'
import { shapeError } from './gemini/failure.ts'
import { describeInteraction, foldInteraction, readInteraction } from './gemini/interactions.ts'
import { jsonBody } from './openai-request.ts'

const CREATE = /^\/v\d+(?:alpha|beta)?\d*\/(?:[\w./@-]+\/)?interactions$/
const POLL = /^\/v\d+(?:alpha|beta)?\d*\/(?:[\w./@-]+\/)?interactions\/[^/:]+$/

const readPoll = ({ query }: WireRequest): Reading => ({
  endpoint: 'interactions.poll',
  billable: true,
  stream: /[?&]stream=true\b/.test(query),
  parts: [],
  body_tags: {},
  edits: [],
  hide_usage: false,
})

/**
 * Google's Interactions API: creation, whole and streamed, and polls. One that runs in the background is billed by the poll
 * that finds it ended; whoever records polls must keep one by `response_id`.
 */
export const wire: Wire = {
  name: 'gemini-interactions',
  endpoints: ['interactions', 'interactions.poll'],
  recognise: (method, path) => (method === 'POST' ? CREATE.test(path) : method === 'GET' && POLL.test(path)),
  read: (request) => (request.method === 'GET' ? readPoll(request) : readInteraction(jsonBody(request))),
  meter: (context) =>
    isEventStream(context)
      ? meterSse(foldInteraction(context), false)
      : meterBody((body) => describeInteraction(body.json(), context, body.ended)),
  shape: shapeError,
}
