/** Errors as Bedrock says them: the type in a header, the message in the body, or both in an exception frame. */
import type { WeirError } from '../../core/errors.ts'
import type { Headers, Shaped } from '../../core/wire.ts'
import { type EventMessage, encodeEvent } from '../framing/event-stream.ts'
import { shortened } from '../framing/failures.ts'
import { asText, at, decode, encode, parseJson } from '../framing/json.ts'

type Failure = Readonly<{ code: string; message: string }>

/** The type's bare name: AWS writes `ThrottlingException:http://…` and `com.amazon…#ThrottlingException`. */
const bareType = (type: string): string => type.replace(/:.*$/, '').replace(/^.*#/, '')

const failure = (code: string, message: string | undefined): Failure => ({
  code: bareType(code),
  message: shortened(message),
})

const messageOf = (json: unknown): string | undefined => asText(at(json, 'message')) ?? asText(at(json, 'Message'))

/** The error of a whole answer; undefined when its status says success. */
export const failureOf = (status: number, headers: Headers, json: unknown): Failure | undefined =>
  status < 400
    ? undefined
    : failure(headers['x-amzn-errortype'] ?? asText(at(json, '__type')) ?? 'error', messageOf(json))

/** The error in one message of a stream: an exception that the API models, or an error that it does not. */
export const failureIn = ({ headers, payload }: EventMessage): Failure | undefined => {
  const type = headers[':message-type']
  if (type === 'exception')
    return failure(headers[':exception-type'] ?? 'exception', messageOf(parseJson(decode(payload))))
  if (type === 'error') return failure(headers[':error-code'] ?? 'error', headers[':error-message'])
  if (type === 'corrupt') return failure('corrupt-event-stream', 'A frame of the event stream has a wrong checksum.')
  return undefined
}

const types: Readonly<Record<number, string>> = {
  400: 'ValidationException',
  401: 'AccessDeniedException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  413: 'ValidationException',
  422: 'ValidationException',
  429: 'ThrottlingException',
  500: 'InternalServerException',
  504: 'ModelTimeoutException',
}

/** What a stream may carry is a smaller set (ConverseStreamOutput, ResponseStream). */
const streamed = new Set([
  'ValidationException',
  'ThrottlingException',
  'InternalServerException',
  'ServiceUnavailableException',
])

/** The error as an AWS SDK expects it; mid-stream as an exception frame. */
export const shapeFailure = (error: WeirError, midstream = false): Shaped => {
  const type = types[error.status] ?? 'ServiceUnavailableException'
  const body = encode(JSON.stringify({ message: error.message }))
  if (!midstream) {
    const wait = error.retry_after_s
    const retry = wait === undefined ? {} : { 'retry-after': String(Math.ceil(wait)) }
    return {
      status: error.status,
      headers: { 'content-type': 'application/json', 'x-amzn-errortype': type, ...retry },
      body,
    }
  }
  const known = streamed.has(type) ? type : 'ModelStreamErrorException'
  const exception = `${known.charAt(0).toLowerCase()}${known.slice(1)}`
  const frame = encodeEvent(
    { ':exception-type': exception, ':content-type': 'application/json', ':message-type': 'exception' },
    body,
  )
  return { status: error.status, headers: { 'content-type': 'application/vnd.amazon.eventstream' }, body: frame }
}
