import { WeirError } from '../../core/errors.ts'
import type { ImportOptions } from '../../core/importer.ts'
import { wires } from '../../wires/index.ts'

const encoder = new TextEncoder()

/** Reads a stored response body by the wire that carried it, as the gateway would have. */
export const meterBody: ImportOptions['meter'] = (name, body) => {
  const wire = Object.values(wires).find((one) => one.name === name)
  if (!wire) throw new WeirError('internal', `an importer asks for the wire ${name}, which does not exist`)
  const reading = {
    endpoint: 'import',
    billable: true,
    stream: false,
    parts: [],
    body_tags: {},
    edits: [],
    hide_usage: false,
  }
  const headers = { 'content-type': 'application/json' }
  const metering = wire.meter({
    reading,
    request: { path: '', json: undefined },
    provider: '',
    quirks: {},
    status: 200,
    headers,
  })
  metering.push(encoder.encode(JSON.stringify(body)))
  metering.end()
  return metering.finish().usage
}
