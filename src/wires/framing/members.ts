import { asRecord, type JsonRecord } from './json.ts'
import { valueAt } from './json-bytes.ts'
import { locateAll } from './json-places.ts'
import type { Body } from './metering.ts'

/** Answers with vectors, pictures or sound are long and hold few members that matter. */
const PARSE_BYTES = 64 * 1024

/**
 * An answer's members; undefined where it is no object. Of one beyond `parse_bytes` only these are looked up, in one walk, and
 * nothing else is parsed.
 */
export const membersOf = (
  { bytes, json }: Body,
  names: readonly string[],
  parse_bytes = PARSE_BYTES,
): JsonRecord | undefined => {
  if (bytes.length <= parse_bytes) return asRecord(json())
  const find = locateAll(
    bytes,
    names.map((name) => [name]),
  )
  return Object.fromEntries(names.map((name) => [name, valueAt(bytes, find([name]))]))
}
