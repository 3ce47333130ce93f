import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { WeirError } from '../../core/errors.ts'
import type { Split } from '../../core/exporter.ts'

const weight = z.union([
  z.number().nonnegative(),
  z.string().regex(/^\d+(\.\d+)?$/, 'a decimal number of zero or more'),
])

const file = z.array(
  z.strictObject({
    id: z.string().min(1),
    when: z.record(z.string(), z.union([z.string(), z.null()])),
    unit: z.string().optional(),
    shares: z
      .record(z.string(), z.record(z.string(), weight))
      .refine((shares) => Object.keys(shares).length === 1, 'name one dimension, e.g. team'),
  }),
)

/**
 * Reads rules that split shared charges: `- { id, when: { team: platform }, shares: { team: { search: 3, support: 1 } } }`.
 * Throws WeirError `bad-input` naming file and field.
 */
export const readSplits = (path: string): readonly Split[] => {
  let content: unknown
  try {
    content = parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new WeirError('bad-input', `--split ${path}: ${(cause as Error).message}`, { cause })
  }
  const read = file.safeParse(content)
  if (!read.success) {
    const [issue] = read.error.issues
    throw new WeirError('bad-input', `--split ${path}: ${issue?.path.join('.') || 'file'}: ${issue?.message}`)
  }
  return read.data.map(({ id, when, unit, shares }) => ({
    id,
    when,
    ...(unit === undefined ? {} : { unit }),
    shares: Object.entries(shares).flatMap(([dimension, owners]) =>
      Object.entries(owners).map(([owner, share]) => ({ owner: { [dimension]: owner }, weight: String(share) })),
    ),
  }))
}
