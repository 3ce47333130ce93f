import type { Edit, Reading } from '../core/wire.ts'
import { inserting, locate, replacing } from '../wires/framing/json-bytes.ts'
import type { Call } from './call.ts'

/** The outermost member of a way that is to be made anew, with the rest of the way inside it. */
const nested = (way: readonly string[], value: number): unknown =>
  way.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value)

/** The edit that says `value` at a way of members, where the body does not. Undefined where it cannot be said. */
export const memberEdit = (body: Uint8Array, way: readonly string[], value: number): Edit | undefined => {
  const said = locate(body, way)
  if (said) return replacing(said, value)
  for (let known = way.length - 1; known >= 0; known--) {
    const [name = '', ...rest] = way.slice(known)
    const outer = known === 0 ? undefined : locate(body, way.slice(0, known))
    if (known === 0 || outer) return inserting(body, outer?.value ?? 0, name, nested(rest, value))
  }
  return undefined
}

/** Limits the output of a call whose reservation must hold and whose client asked for no maximum. */
export const outputCap = (call: Call, reading: Reading | undefined): Edit | undefined => {
  const { output_cap, plain } = call
  if (output_cap === undefined || !reading?.max_output_field || reading.max_output_tokens !== undefined)
    return undefined
  return memberEdit(plain, reading.max_output_field, output_cap)
}
