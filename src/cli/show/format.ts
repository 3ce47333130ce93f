import { formatUsd, type Picodollars, parseUsd, picodollars } from '../../core/money.ts'

/** What stands where nothing is known. */
export const nothing = '–'

const PICO = 12

const grouped = (whole: string): string => whole.replace(/\B(?=(\d{3})+$)/g, ',')

const magnitude = (amount: bigint): bigint => (amount < 0n ? -amount : amount)

/** Exact decimal text rounded half up to `decimals` places, with thousands separators and the dollar sign. */
const fixed = (amount: Picodollars, decimals: number): string => {
  const step = 10n ** BigInt(PICO - decimals)
  const rounded = (magnitude(amount) + step / 2n) / step
  const digits = rounded.toString().padStart(decimals + 1, '0')
  const whole = grouped(digits.slice(0, digits.length - decimals))
  const sign = amount < 0n && rounded > 0n ? '-' : ''
  return `${sign}$${whole}${decimals === 0 ? '' : `.${digits.slice(-decimals)}`}`
}

/** Decimals that show three significant digits of an amount, two at least: 2 from a dollar up, 6 for $0.000192. */
const decimalsFor = (amount: bigint): number => {
  const size = magnitude(amount)
  if (size === 0n || size >= 10n ** BigInt(PICO)) return 2
  return Math.min(PICO, Math.max(2, PICO - size.toString().length + 3))
}

const amountOf = (usd: string | Picodollars): Picodollars => (typeof usd === 'bigint' ? usd : parseUsd(usd))

/**
 * Money for people: `$1,234.56` from a dollar up, three significant digits below (`$0.0213`, `$0.000192`), `–` for null.
 * Takes decimal US dollars as text or picodollars; no float is involved.
 */
export const money = (usd: string | Picodollars | null | undefined): string => {
  if (usd === null || usd === undefined) return nothing
  const amount = amountOf(usd)
  const decimals = decimalsFor(amount)
  const text = fixed(amount, decimals)
  return decimals === 2 ? text : text.replace(/(\.\d\d\d*?)0+$/, '$1')
}

/** Every digit of an amount: `$0.0001924135`. */
export const exactMoney = (usd: string | Picodollars | null | undefined): string => {
  if (usd === null || usd === undefined) return nothing
  const [whole = '0', fraction = ''] = formatUsd(amountOf(usd)).split('.')
  const sign = whole.startsWith('-') ? '-' : ''
  return `${sign}$${grouped(whole.replace('-', ''))}.${fraction.padEnd(2, '0')}`
}

/** A formatter for a column of amounts: the same decimals in every cell, chosen by the largest; `<$0.01` for dust. */
export const moneyColumn = (
  amounts: Iterable<string | null | undefined>,
): ((usd: string | null | undefined) => string) => {
  let largest = 0n
  for (const usd of amounts) {
    const size = usd === null || usd === undefined ? 0n : magnitude(parseUsd(usd))
    if (size > largest) largest = size
  }
  const decimals = decimalsFor(largest)
  const smallest = 10n ** BigInt(PICO - decimals)
  return (usd) => {
    if (usd === null || usd === undefined) return nothing
    const amount = parseUsd(usd)
    if (amount === 0n) return fixed(picodollars(0n), 2)
    const dust = amount !== 0n && magnitude(amount) < smallest / 2n
    return dust ? `<${fixed(picodollars(smallest), decimals)}` : fixed(amount, decimals)
  }
}

const scales = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const

/** Text from outside with its control characters taken out, so that a tag or a model's name cannot steer the terminal. */
export const clean = (text: string): string => text.replace(/\p{Cc}+/gu, ' ')

/** A count of tokens in at most four characters and a letter: `812`, `12.3k`, `4.5M`; `–` for null. */
export const tokens = (count: number | null | undefined): string => {
  if (count === null || count === undefined) return nothing
  for (const [scale, letter] of scales) {
    const scaled = count / scale
    if (Math.abs(scaled) >= 0.9995) return `${scaled.toFixed(Math.abs(scaled) >= 99.95 ? 0 : 1)}${letter}`
  }
  return String(Math.round(count))
}

/** A count with thousands separators: `24,434`. */
export const count = (number: number | null | undefined): string =>
  number === null || number === undefined
    ? nothing
    : number.toLocaleString('en-US', { maximumFractionDigits: Number.isInteger(number) ? 0 : 2 })

/** `one call`, `12 calls`: a count with its noun. */
export const plural = (number: number, noun: string, nouns = `${noun}s`): string =>
  `${count(number)} ${number === 1 ? noun : nouns}`

/** A share from 0 to 1 as a percentage: `42 %`, `4.2 %`, `<0.1 %`; `–` for null. */
export const percent = (share: number | null | undefined): string => {
  if (share === null || share === undefined || Number.isNaN(share)) return nothing
  const hundredths = share * 100
  if (hundredths !== 0 && Math.abs(hundredths) < 0.1) return hundredths < 0 ? '>-0.1 %' : '<0.1 %'
  return `${hundredths.toFixed(Math.abs(hundredths) >= 9.95 || hundredths === 0 ? 0 : 1)} %`
}

/** Share of one amount in another, or null where the whole is zero. */
export const shareOf = (part: string | number, whole: string | number): number | null => {
  const all = Number(whole)
  return all === 0 ? null : Number(part) / all
}

/** Movement against the time before: `▲ +12 %`, `▼ -8.0 %`, `new`, `=`, or `–` where there was nothing on either side. */
export const change = (now_usd: string, before_usd: string | null | undefined): string => {
  if (before_usd === null || before_usd === undefined) return nothing
  const now = parseUsd(now_usd)
  const before = parseUsd(before_usd)
  if (before === 0n) return now === 0n ? nothing : 'new'
  if (now === before) return '='
  const moved = Number(now - before) / Number(magnitude(before))
  const size = Math.abs(moved)
  const text = size >= 10 ? `×${(Number(now) / Number(before)).toFixed(0)}` : `${moved > 0 ? '+' : ''}${percent(moved)}`
  return `${moved > 0 ? '▲' : '▼'} ${text}`
}

/** A duration: `840 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`; `–` for null. */
export const duration = (ms: number | null | undefined): string => {
  if (ms === null || ms === undefined) return nothing
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`
  if (ms < 999.5) return `${ms.toFixed(0)} ms`
  const seconds = ms / 1000
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 100) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
  if (minutes < 60 * 48) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `${Math.round(minutes / 60 / 24)} days`
}

/** A size: `512 B`, `1.4 kB`, `20.1 MB`. */
export const bytes = (size: number): string => {
  if (size < 1000) return `${size} B`
  if (size < 1e6) return `${(size / 1e3).toFixed(1)} kB`
  return size < 1e9 ? `${(size / 1e6).toFixed(1)} MB` : `${(size / 1e9).toFixed(1)} GB`
}
