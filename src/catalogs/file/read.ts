import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import { WeirError } from '../../core/errors.ts'
import type { PriceRow } from '../../core/price.ts'
import type { Meter } from '../../core/usage.ts'
import { divideDecimal, multiplyDecimal, plainDecimal } from '../../playbook/price/decimal.ts'

/** Reads a downloaded catalogue. Throws WeirError `bad-config` naming the file and what is wrong. */
export const readJson = <Schema extends z.ZodType>(
  name: string,
  path: string | undefined,
  schema: Schema,
): z.infer<Schema> => {
  if (path === undefined) throw new WeirError('bad-config', `${name} needs a downloaded file: give it with --file PATH`)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new WeirError('bad-config', `${name}: cannot read ${path}`, { cause })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new WeirError('bad-config', `${path} is not JSON`, { cause })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new WeirError(
    'bad-config',
    `${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not such a catalogue'}`,
  )
}

/** A number as USD per million of what one costs, exact in the number's own decimal digits. */
export const perMillion = (usd_each: number, pieces = '1'): string =>
  divideDecimal(multiplyDecimal(plainDecimal(String(usd_each)), '1000000'), pieces)

/** Puts a rate under its meter. In these catalogues a zero means that nobody knows. */
export const putRate = (rates: Partial<Record<Meter, string>>, meter: Meter, amount: unknown, pieces = '1'): void => {
  if (typeof amount === 'number' && amount > 0) rates[meter] = perMillion(amount, pieces)
}

type Given = Omit<PriceRow, 'layer' | 'checked_at'>

/** A row of a public catalogue; undefined when it states no rate. The day of the check is the reader's, not ours: epoch. */
export const catalogRow = (given: Given): PriceRow[] =>
  Object.keys(given.rates).length === 0 ? [] : [{ ...given, layer: 'catalog', checked_at: '1970-01-01' }]
