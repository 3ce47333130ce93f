import { namesTwice } from '../wires/framing/names-twice.ts'
import type { Call } from './call.ts'

/** Does the body name a key twice in one object? What we read of it is the last of them, and the provider may read the first. */
export const bodyNamesTwice = (call: Call): boolean => {
  call.names_twice ??= call.json !== undefined && namesTwice(call.plain, call.json)
  return call.names_twice
}
