import pino from 'pino'
import type { WeirError } from '../core/errors.ts'
import type { Receipt } from '../core/receipt.ts'
import type { Settings } from '../core/settings.ts'

type Facts = Readonly<Record<string, string | number | boolean>>

/** The only things that are ever logged. Header values, bodies, queries, prompts and keys have no way in. */
export type Log = Readonly<{
  /** An attempt that has its receipt (level debug; warn where it failed). */
  receipt(receipt: Receipt): void
  /** Something of ours failed: the code and where in our own code. */
  failure(call_id: string, error: WeirError): void
  /** Start, stop and changes of state, in fixed words (level info). */
  event(event: string, facts?: Facts): void
  /** Problems that need attention, in fixed words (level error). */
  trouble(event: string, facts?: Facts): void
}>

const quiet = new Set<Receipt['outcome']>(['ok', 'cached', 'deferred', 'refused', 'client-gone'])

/** A refusal is the client's affair, unless whoever keeps the gateway can mend it. */
const isQuiet = ({ outcome, error_code }: Receipt): boolean => quiet.has(outcome) && error_code !== 'bad-config'

/** Frames of our own code: names and lines, no values. A message may hold a piece of a body, so it is left out. */
const framesOf = (error: unknown): string =>
  error instanceof Error
    ? (error.stack ?? '')
        .split('\n')
        .filter((line) => /^\s+at /.test(line))
        .slice(0, 8)
        .join('\n')
    : ''

export type LogStream = Readonly<{ write(line: string): void }>

/** JSON lines through pino, on standard error unless `stream` is given. */
export const openLog = (settings: Pick<Settings, 'log_level'>, stream?: LogStream): Log => {
  const logger = pino({ level: settings.log_level, base: null }, stream ?? pino.destination({ dest: 2, sync: true }))
  return {
    receipt(receipt) {
      const level = isQuiet(receipt) ? 'debug' : 'warn'
      if (!logger.isLevelEnabled(level)) return
      const { call_id, attempt, provider, wire, outcome, http_status, error_code, started_at_us, ended_at_us } = receipt
      const took_ms = Math.round((ended_at_us - started_at_us) / 1000)
      const { price_state, cost_usd } = receipt
      logger[level](
        { call_id, attempt, provider, wire, outcome, http_status, error_code, took_ms, price_state, cost_usd },
        'call',
      )
    },
    failure(call_id, error) {
      const cause = error.cause
      logger.error(
        { call_id, code: error.code, cause: cause instanceof Error ? cause.name : '', at: framesOf(cause) },
        'failure',
      )
    },
    event(event, facts = {}) {
      logger.info(facts, event)
    },
    trouble(event, facts = {}) {
      logger.error(facts, event)
    },
  }
}
