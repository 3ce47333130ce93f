import type { Settings } from '../core/settings.ts'
import type { Metered } from '../core/wire.ts'
import type { Log } from './log.ts'

/** Of an attempt: who answered, with our key or without, and what. */
type Answered = Readonly<{
  upstream: Readonly<{ name: string; has_credentials: boolean }>
  status?: number
  metered?: Metered
}>

/** The log says it again of one provider after so long. */
const AGAIN_US = 600e6

/** Tells a key of ours that a provider refuses from one of the client's: the answer, which passes as it came, reads the same. */
export type OwnKeys = Readonly<{
  /** What the client of an attempt is told where our key was refused, or a key of ours is missing. The log says it, too. */
  refusal(attempt: Answered): string | undefined
}>

/** Google alone says 400 to a key that is none. */
const refuses = ({ status, metered }: Answered): boolean =>
  status === 401 || status === 403 || (status === 400 && metered?.error?.code === 'API_KEY_INVALID')

/** Providers are configured, so what is remembered of them is bounded. */
export const openOwnKeys = (mode: Settings['mode'], log: Log, now_us: () => number): OwnKeys => {
  const told_us = new Map<string, number>()
  return {
    refusal(attempt) {
      const { name: provider, has_credentials } = attempt.upstream
      if (!refuses(attempt) || !(has_credentials || mode === 'keys')) return undefined
      const { status: http_status = 0 } = attempt
      if (now_us() - (told_us.get(provider) ?? 0) >= AGAIN_US) {
        told_us.set(provider, now_us())
        log.trouble(
          has_credentials
            ? 'a provider refuses the key that this gateway has for it'
            : 'a provider asks for a key, and this gateway has none for it',
          { provider, http_status },
        )
      }
      return has_credentials
        ? `${provider} answered ${http_status} to this gateway's own key, not to yours: tell its administrator`
        : `${provider} answered ${http_status}, and this gateway has no key for it: tell its administrator`
    },
  }
}
