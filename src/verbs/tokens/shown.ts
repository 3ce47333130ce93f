import type { ConsoleToken } from '../../core/store.ts'
import { type KeyState, keyState } from '../keys/shown.ts'

/** A console token as it may be shown. */
export type ShownToken = Omit<ConsoleToken, 'hash'> & Readonly<{ state: KeyState }>

export const shownToken = ({ hash: _, ...token }: ConsoleToken, now_us: number): ShownToken => ({
  ...token,
  state: keyState(token, now_us),
})
