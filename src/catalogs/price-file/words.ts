import { isMeter, type Meter } from '../../core/usage.ts'
import { divideDecimal, multiplyDecimal, plainDecimal } from '../../playbook/price/decimal.ts'

/** Short names of the token classes in a price file; every other rate is named by its meter. */
const short: Readonly<Record<string, Meter>> = {
  in: 'in.text.fresh',
  out: 'out.text.visible',
  cache_read: 'in.text.cache_read',
  cache_write: 'in.text.cache_write',
  cache_write_5m: 'in.text.cache_write_5m',
  cache_write_1h: 'in.text.cache_write_1h',
  reasoning: 'out.text.reasoning',
  citation: 'out.text.citation',
  in_audio: 'in.audio.fresh',
  out_audio: 'out.audio.visible',
  cache_read_audio: 'in.audio.cache_read',
  in_image: 'in.image.fresh',
  out_image: 'out.image.visible',
  cache_read_image: 'in.image.cache_read',
  in_video: 'in.video.fresh',
  out_video: 'out.video.visible',
  cache_read_video: 'in.video.cache_read',
}

/** The meter that a key of a price file names, or undefined when it names none. */
export const meterOf = (key: string): Meter | undefined => (isMeter(key) ? key : short[key])

const scales: Readonly<Record<string, string>> = { '': '1', k: '1000', M: '1000000' }

/**
 * An amount as USD per million: `0.25` is that; `10/1k` is ten dollars a thousand, `0.04/1` four cents a piece,
 * `0.111/3600` so much an hour where seconds are counted (rounded at twelve decimals). Throws RangeError on anything else.
 */
export const rateOf = (amount: string): string => {
  const match = /^(\d*\.?\d+)(?:\s*\/\s*(\d+)([kM]?))?$/.exec(amount.trim())
  if (!match) throw new RangeError(`${JSON.stringify(amount)} is not an amount such as 0.25, 10/1k or 0.111/3600`)
  const [, dollars = '', count, scale = ''] = match
  if (count === undefined) return plainDecimal(dollars)
  const pieces = multiplyDecimal(count, scales[scale] ?? '1')
  return divideDecimal(multiplyDecimal(dollars, '1000000'), pieces)
}
