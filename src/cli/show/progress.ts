import { bar } from './chart.ts'
import { count, duration } from './format.ts'
import { type Look, lookOf, paint } from './look.ts'
import { pad, truncate } from './text.ts'

type Screen = Pick<NodeJS.WriteStream, 'write'> & Readonly<{ isTTY?: boolean; columns?: number }>

export type Progress = Readonly<{
  /** Says how much is done, and optionally what is under way. */
  update(done: number, doing?: string): void
  /** Ends the bar; the text, if any, stays. */
  end(text?: string): void
}>

export type ProgressOptions = Readonly<{
  label: string
  /** How much there is; without it only count and rate are shown. */
  total?: number
  /** How an amount reads; thousands separators by default. */
  amount?: (done: number) => string
  /** Where it is drawn: standard error, so that output can be piped. */
  screen?: Screen
  now_ms?: () => number
  look?: Look
}>

/** Redraws no more often than this; a terminal shows no more. */
const interval_ms = 80

/** `█████▋    56 %  13,700 of 24,434 · 41,200/s · 0.3 s left · doing`, fitted into the terminal. */
const draw = (options: ProgressOptions, done: number, elapsed_ms: number, doing: string, look: Look): string => {
  const colours = paint(look)
  const amount = options.amount ?? ((many: number) => count(Math.round(many)))
  const per_s = elapsed_ms > 0 ? (done / elapsed_ms) * 1000 : 0
  const rate = per_s > 0 ? `${amount(per_s)}/s` : ''
  if (options.total === undefined || options.total <= 0) {
    return truncate([options.label, amount(done), rate, doing].filter(Boolean).join(' · '), look.width - 1)
  }
  const share = Math.min(1, done / options.total)
  const left = per_s > 0 && share < 1 ? `${duration(((options.total - done) / per_s) * 1000)} left` : ''
  const width = look.width >= 100 ? 28 : 16
  const head = `${options.label} ${colours.cyan(pad(bar(share, width), width))} ${(share * 100).toFixed(0).padStart(3)} %  `
  const tail = [`${amount(done)} of ${amount(options.total)}`, rate, left, doing].filter(Boolean).join(' · ')
  return head + truncate(tail, Math.max(8, look.width - options.label.length - width - 10))
}

/** A bar on a terminal with rate and time left; silent where there is none. */
export const progress = (options: ProgressOptions): Progress => {
  const screen = options.screen ?? process.stderr
  const now_ms = options.now_ms ?? (() => performance.now())
  if (screen.isTTY !== true) return { update: () => undefined, end: () => undefined }
  const begun = now_ms()
  let drawn = Number.NEGATIVE_INFINITY
  return {
    update: (done, doing = '') => {
      const now = now_ms()
      if (now - drawn < interval_ms && done !== options.total) return
      drawn = now
      screen.write(`\r\x1b[2K${draw(options, done, now - begun, doing, options.look ?? lookOf(screen))}`)
    },
    end: (text) => {
      screen.write(`\r\x1b[2K${text === undefined ? '' : `${text}\n`}`)
    },
  }
}
