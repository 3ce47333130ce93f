import { whole } from '../../config/fields.ts'
import type { RuleKind } from '../../core/allocation.ts'
import { WeirError } from '../../core/errors.ts'
import type { Context } from '../verb.ts'

export const version = whole(0, Number.MAX_SAFE_INTEGER)
  .optional()
  .describe(
    'The version that the change was made from (or the header If-Match; 0 for none): refused where another is in force',
  )

export type PutRules = Readonly<{ version: number; changed: boolean }>

/** Puts rules in force as a new version; the same rules again change nothing. Throws WeirError `conflict` where another version than `expected` is in force. */
export const putRules = async (
  context: Context,
  { kind, rules, expected }: Readonly<{ kind: RuleKind; rules: string; expected: number | undefined }>,
): Promise<PutRules> => {
  const store = await context.store({ make: true })
  const last = (await store.rules.list(kind)).at(-1)
  const before = last?.version ?? 0
  const meanwhile = async () => {
    const now = (await store.rules.list(kind)).at(-1)?.version ?? 0
    return new WeirError(
      'conflict',
      `version: the ${kind} were changed by somebody else meanwhile, version ${now} is in force; look at it, then repeat the change`,
    )
  }
  if (expected !== undefined && expected !== before) throw await meanwhile()
  if (last?.rules === rules) return { version: before, changed: false }
  const put = await store.rules.put(kind, rules, context.now_us(), before)
  if (put === undefined) throw await meanwhile()
  return { version: put, changed: true }
}
