import type { Reading } from '../../core/wire.ts'

/** An operation that bills nothing and has no prompt, such as the listing of models. */
export const bare = (endpoint: string): Reading => ({
  endpoint,
  billable: false,
  stream: false,
  parts: [],
  body_tags: {},
  edits: [],
  hide_usage: false,
})
