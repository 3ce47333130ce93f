import { openRecent } from '../../core/recent.ts'
import type { KnownBody } from '../../core/wire.ts'

/**
 * Bytes of bodies that a thread remembers, at most, and one body more. With the texts, blocks and edits that were found in them
 * they take four to five times as much memory.
 */
const MOST_BYTES = 8 * 1024 * 1024

/** A longer body is not remembered: it would be there in the place of many others. */
export const LONGEST_BODY = MOST_BYTES / 4

/** The last body of each conversation, and what editors found in it: the next one most often begins with the same bytes. */
export type Bodies = KnownBody['memory']

export const openBodies = (most_bytes = MOST_BYTES): Bodies => openRecent(most_bytes, ({ body }) => body.length)
