import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { Part, Reading } from '../../src/core/wire.ts'

export const hash = (text: string) => createHash('sha1').update(text).digest('hex').slice(0, 16)

export const reading = (parts: readonly Part[], more: Partial<Reading> = {}): Reading => ({
  endpoint: 'chat',
  billable: true,
  stream: false,
  parts,
  body_tags: {},
  edits: [],
  hide_usage: false,
  ...more,
})

export const anyPart: fc.Arbitrary<Part> = fc.record({
  kind: fc.constantFrom('tools', 'system', 'examples', 'history', 'context', 'user'),
  text: fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ minLength: 200, maxLength: 900 })),
})
