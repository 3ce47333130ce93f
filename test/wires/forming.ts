/** Answers given in another form than they came in, by a wire and without a gateway. */
import type { Formed, Reading, Wire } from '../../src/core/wire.ts'

const encoder = new TextEncoder()
export const decoded = ({ body }: Formed): string => new TextDecoder().decode(body)

export const wholeAnswer = (json: unknown): Formed => ({
  body: encoder.encode(JSON.stringify(json)),
  content_type: 'application/json',
})
export const streamAnswer = (text: string): Formed => ({
  body: encoder.encode(text),
  content_type: 'text/event-stream; charset=utf-8',
})

export type How = Readonly<{ stream: boolean; query?: string; json?: unknown; hide_usage?: boolean }>

/** As the wire makes it, or why it does not. */
export const formed = (wire: Wire, answer: Formed, { stream, query = '', json = {}, hide_usage = false }: How) => {
  const reading: Reading = {
    endpoint: 'chat',
    billable: true,
    stream,
    parts: [],
    body_tags: {},
    edits: [],
    hide_usage,
  }
  if (!wire.forms) throw new Error(`${wire.name} has one form`)
  return wire.forms.as(answer, { reading, query, json })
}

/** As the wire makes it; throws where it does not. */
export const made = (wire: Wire, answer: Formed, how: How): Formed => {
  const found = formed(wire, answer, how)
  if (typeof found === 'string') throw new Error(found)
  return found
}
