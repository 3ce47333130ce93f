import { parse } from 'yaml'
import { z } from 'zod'
import { WeirError } from '../../core/errors.ts'
import { isMeter } from '../../core/usage.ts'
import { dayNumber, instant_us } from '../../playbook/price/local-time.ts'
import { meterOf, rateOf } from './words.ts'

const text = z.string().min(1)
const moment = text.refine((value) => !Number.isNaN(instant_us(value)), 'must be a date or a UTC instant')
const day = text.refine((value) => !Number.isNaN(dayNumber(value)), 'must be a date (YYYY-MM-DD)')
const truth = z.enum(['true', 'false']).transform((value) => value === 'true')
const factor = text.regex(/^\d+(\.\d+)?$/, 'must be a decimal factor')

const amount = text.transform((value, context) => {
  try {
    return rateOf(value)
  } catch (cause) {
    context.addIssue({ code: 'custom', message: cause instanceof Error ? cause.message : 'not an amount' })
    return z.NEVER
  }
})

const context = text.regex(/^(>=?|<=?)\s*\d+$/, 'must be an operator and tokens, e.g. ">272000"').transform((value) => {
  const [, operator = '', tokens = ''] = /^(>=?|<=?)\s*(\d+)$/.exec(value) ?? []
  return { operator: operator as '>' | '>=' | '<' | '<=', tokens: Number(tokens) }
})

const hours = text
  .regex(/^\d\d:\d\d-\d\d:\d\d$/, 'must be hours such as "09:00-12:00"')
  .transform((value): readonly [number, number] => {
    const [from = 0, fromMinute = 0, to = 0, toMinute = 0] = value.split(/[:-]/).map(Number)
    return [from * 60 + fromMinute, to * 60 + toMinute]
  })

const window = z.strictObject({
  zone: text,
  weekdays: z.array(text.regex(/^[1-7]$/, 'must be 1 (Monday) to 7 (Sunday)').transform(Number)).optional(),
  hours: z.array(hours).min(1),
  except_dates: z.array(day).optional(),
})

const tier = z.enum(['standard', 'flex', 'priority', 'scale', 'provisioned', 'reserved', 'off_peak'])

const conditions = {
  tier: tier.optional(),
  speed: z.enum(['standard', 'fast']).optional(),
  batch: truth.optional(),
  geo: text.optional(),
  context: context.optional(),
}

const variant = z.strictObject({
  when: z.strictObject({ ...conditions, region: z.union([text.transform((one) => [one]), z.array(text)]).optional() }),
  /** One factor for every token class, or one for input and one for output. */
  multiply: z.union([
    factor.transform((both) => ({ in: both, out: both })),
    z.strictObject({ in: factor, out: factor }),
  ]),
  /** Token classes that keep their price. */
  except: z.array(text.refine((key) => meterOf(key) !== undefined, 'is not a rate')).optional(),
})

const rowFields = z.strictObject({
  ...conditions,
  region: text.optional(),
  window: text.optional(),
  attrs: z.record(text, text).optional(),
  from: moment.optional(),
  to: moment.optional(),
  free: truth.optional(),
  source: text.optional(),
  checked_at: day.optional(),
  use: z.array(text).optional(),
})

const fieldNames = new Set(Object.keys(rowFields.shape))

/** A row's keys are its conditions and, for the rest, rates: a key that is neither is an error. */
const row = z.record(z.string(), z.unknown()).transform((value, issues) => {
  const fields = rowFields.safeParse(Object.fromEntries(Object.entries(value).filter(([key]) => fieldNames.has(key))))
  const rates: Record<string, string> = {}
  const complain = (path: PropertyKey[], message: string) => issues.addIssue({ code: 'custom', path, message })
  for (const [key, given] of Object.entries(value)) {
    if (fieldNames.has(key)) continue
    const meter = meterOf(key)
    const rate = amount.safeParse(given)
    if (meter === undefined) complain([key], 'unknown field: neither a condition nor a rate')
    else if (rate.success) rates[meter] = rate.data
    else complain([key], rate.error.issues[0]?.message ?? 'is not an amount')
  }
  for (const issue of fields.error?.issues ?? []) complain([...issue.path], issue.message)
  return fields.success ? { ...fields.data, rates } : z.NEVER
})

const fees = z.record(
  text.refine((key) => isMeter(key) && !/^(in|out)\./.test(key), 'is not a unit'),
  amount,
)

const model = z.strictObject({
  aliases: z.array(text).optional(),
  /** Each name also with these in front and a dot between, as Bedrock's inference profiles (`us.`, `eu.`). */
  prefixes: z.array(text).optional(),
  use: z.array(text).optional(),
  fees: fees.optional(),
  source: text.optional(),
  /** `provider/model` of another file, whose standard prices these are, times `multiply`. */
  like: text.regex(/^[^/]+\/.+$/, 'must be provider/model').optional(),
  multiply: factor.optional(),
  prices: z.array(row).optional(),
})

const file = z.strictObject({
  provider: text,
  checked_at: day,
  sources: z.record(text, text),
  source: text,
  fees: fees.optional(),
  windows: z.record(text, window).optional(),
  variants: z.record(text, variant).optional(),
  use: z.array(text).optional(),
  /** Rows that every model has besides its own, e.g. fees by attribute. */
  every: z.array(row).optional(),
  models: z.record(text, model),
})

export type PriceFile = z.infer<typeof file>
export type FileModel = PriceFile['models'][string]
export type FileRow = z.infer<typeof row>
export type FileVariant = z.infer<typeof variant>

/**
 * Reads a price file. Scalars stay text, so that no price passes through a float. Throws WeirError `bad-config` naming
 * file, row and field.
 */
export const parsePriceFile = (name: string, yaml: string): PriceFile => {
  let document: unknown
  try {
    document = parse(yaml, { schema: 'failsafe', merge: true })
  } catch (cause) {
    throw new WeirError('bad-config', `${name}: not YAML: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
  const parsed = file.safeParse(document)
  if (parsed.success) return parsed.data
  const said = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`)
  throw new WeirError('bad-config', `${name}: ${said.join('; ')}`)
}
