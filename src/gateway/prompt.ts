import { hash } from 'node:crypto'
import { hexadecimal, runningHash } from '../playbook/measure/digest.ts'
import { type Fingerprints, fingerprinter } from '../playbook/measure/fingerprints.ts'
import type { Call } from './call.ts'

/** Short texts are hashed faster here than they get to the native function and back. */
const NATIVE_FROM = 256

/** 64 bits of a text as 16 hexadecimal digits. */
export const digest = (text: string): string => {
  if (text.length >= NATIVE_FROM) return hash('sha1', text).slice(0, 16)
  const running = runningHash()
  running.add(text)
  return hexadecimal(running.state())
}

const fingerprint = fingerprinter(digest)

/** The fingerprints of a call's prompt as the client asked it; undefined where it has none. Taken once a call. */
export const promptOf = (call: Call): Fingerprints | undefined => {
  const { reading, json } = call
  if (!reading?.billable || reading.parts.length === 0) return undefined
  call.prompt ??= fingerprint({ json, reading })
  return call.prompt
}
