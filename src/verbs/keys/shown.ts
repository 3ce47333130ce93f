import type { KeyRecord } from '../../core/store.ts'

export type KeyState = 'active' | 'expired' | 'revoked'

/** Is the key in force, run out, or taken back? */
export const keyState = (
  key: Readonly<{ revoked_at_us?: number; expires_at_us?: number }>,
  now_us: number,
): KeyState => {
  if (key.revoked_at_us !== undefined && key.revoked_at_us <= now_us) return 'revoked'
  return key.expires_at_us !== undefined && key.expires_at_us <= now_us ? 'expired' : 'active'
}

/** A key as it may be shown: without what its tokens could be told from. */
export type ShownKey = Omit<KeyRecord, 'hash' | 'previous_hash'> & Readonly<{ state: KeyState }>

export const shownKey = ({ hash: _, previous_hash: __, ...key }: KeyRecord, now_us: number): ShownKey => ({
  ...key,
  state: keyState(key, now_us),
})
