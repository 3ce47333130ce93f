import type { BodyTags } from '../../core/wire.ts'
import { bodyTags } from '../framing/body-tags.ts'
import { asRecord, asText, parseJson } from '../framing/json.ts'

/** Claude Code packs who and which session into one id: `user_…_account_…_session_…`, in older versions; JSON in newer. */
const packed = /^(user_[^_]+)_account_(.*?)_session_(.+)$/

const unpack = (id: string): BodyTags => {
  const match = packed.exec(id)
  if (match) return given(match[2] || match[1], match[3])
  const json = id.startsWith('{') ? asRecord(parseJson(id)) : undefined
  if (!json) return { user: id }
  const user = asText(json['account_uuid']) ?? asText(json['user_id']) ?? asText(json['device_id'])
  return given(user, asText(json['session_id']))
}

const given = (user: string | undefined, session: string | undefined): BodyTags => ({
  ...(user === undefined ? {} : { user }),
  ...(session === undefined ? {} : { session }),
})

/** Who pays, as far as the body's `metadata` says it: `user_id`, with the account and session that Claude Code puts there. */
export const messageTags = (metadata: unknown): BodyTags => {
  const record = asRecord(metadata)
  const id = asText(record?.['user_id'])
  if (id === undefined) return bodyTags(metadata)
  const { user_id: _, ...rest } = record ?? {}
  return { ...unpack(id.slice(0, 1024)), ...bodyTags(rest) }
}
