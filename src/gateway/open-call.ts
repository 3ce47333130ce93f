import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Call } from './call.ts'
import { clientGone } from './client-gone.ts'
import { readHeaders } from './headers.ts'
import type { World } from './world.ts'

const NOTHING = new Uint8Array(0)
/** A socket that breaks is told by `close`; the error itself says nothing more. */
const ignore = (): void => {}

/** The request target's path and query. An absolute target (`GET http://host/path`) is refused later, as no plain path. */
const split = (target: string): readonly [path: string, query: string] => {
  const mark = target.indexOf('?')
  return mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark)]
}

/** A call at its beginning: what the request's head says, nothing judged yet. Counts it as in flight until its socket is free. */
export const openCall = (request: IncomingMessage, response: ServerResponse, world: World): Call => {
  const [path, query] = split(request.url ?? '/')
  const call: Call = {
    id: world.new_id(),
    started_at_us: world.now_us(),
    request,
    response,
    method: request.method ?? 'GET',
    headers: readHeaders(request.rawHeaders),
    path,
    query,
    payer: {},
    body: NOTHING,
    plain: NOTHING,
    json: undefined,
    stops: [],
    client_gone: false,
  }
  world.load.in_flight += 1
  response.on('error', ignore)
  response.on('close', () => {
    world.load.in_flight -= 1
    if (response.writableFinished) return
    call.client_gone = true
    call.wake?.()
    if (call.flow) clientGone(call.flow)
  })
  return call
}
