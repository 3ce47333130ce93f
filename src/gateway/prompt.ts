import { hash } from 'node:crypto'
import { hexadecimal, LONG_TEXT, runningHash } from '../playbook/measure/digest.ts'
import { type Fingerprints, fingerprinter } from '../playbook/measure/fingerprints.ts'
import type { Call } from './call.ts'

/** 64 bits of a text as 16 hexadecimal digits, for which nobody can make a second text. */
export const sealed = (text: string): string => hash('sha1', text).slice(0, 16)

/**
 * 64 bits of a text as 16 hexadecimal digits. A second short text with the same ones can be made: such are hashed here, which is faster
 * than the way to the native function and back.
 */
export const digest = (text: string): string => {
  if (text.length >= LONG_TEXT) return sealed(text)
  const running = runningHash()
  running.add(text)
  return hexadecimal(running.state())
}

const fingerprint = fingerprinter(digest, sealed)

/** The fingerprints of a call's prompt as the client asked it; undefined where it has none. Taken once a call. */
export const promptOf = (call: Call): Fingerprints | undefined => {
  const { reading, json } = call
  if (!reading?.billable || reading.parts.length === 0) return undefined
  call.prompt ??= fingerprint({ json, reading })
  return call.prompt
}
