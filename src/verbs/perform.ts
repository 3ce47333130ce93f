import type { z } from 'zod'
import { WeirError } from '../core/errors.ts'
import { lookAt } from '../gateway/reach.ts'
import type { Field } from './asking/time.ts'
import { contextFor } from './scope.ts'
import type { Context, Verb } from './verb.ts'

/** What is wrong with one field. */
export type FieldProblem = Readonly<{ field: string; message: string }>

/** The error of an input, with every wrong field by its name. */
export class InputError extends WeirError {
  readonly fields: readonly FieldProblem[]

  constructor(fields: readonly FieldProblem[], cause?: WeirError) {
    super('bad-input', cause?.message ?? fields.map(({ field, message }) => `${field}: ${message}`).join('; '), {
      cause,
    })
    this.fields = fields
  }
}

const nameOf = (path: readonly PropertyKey[], field: Field): string => {
  const [first, ...rest] = path
  if (first === undefined) return 'the input'
  return rest.reduce<string>(
    (name, step) => (typeof step === 'number' ? `${name}[${step}]` : `${name}.${String(step)}`),
    field(String(first)),
  )
}

const problemsOf = (issue: z.core.$ZodIssue, field: Field): FieldProblem[] =>
  issue.code === 'unrecognized_keys'
    ? issue.keys.map((key) => ({ field: nameOf([...issue.path, key], field), message: 'there is no such field' }))
    : [{ field: nameOf(issue.path, field), message: `expected ${issue.message.replace(/^expected /, '')}` }]

const read = <Input extends z.ZodObject>(schema: Input, raw: unknown, field: Field): z.output<Input> => {
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  throw new InputError(result.error.issues.flatMap((issue) => problemsOf(issue, field)))
}

/** Where the message of a `bad-input` begins with a field of the verb's input, the error says that field for machines, too. */
const withField = (error: unknown, { input }: Verb, field: Field): unknown => {
  if (!(error instanceof WeirError) || error.code !== 'bad-input' || error instanceof InputError) return error
  if (error.field !== undefined) return error
  const [first = ''] = error.message.split(/[\s:,]/, 1)
  const known = Object.keys(input.shape).some((name) => first.replace(/[.[].*$/, '') === field(name))
  return known ? new InputError([{ field: first, message: error.message }], error) : error
}

/**
 * Does what a verb says, for whoever the context says: everything goes through here, from the command line and from the
 * console. Throws WeirError `forbidden` for what a team's token may not, `bad-input` naming every wrong field.
 */
export const perform = async <Input extends z.ZodObject, Result>(
  verb: Verb<Input, Result>,
  raw: unknown,
  context: Context,
): Promise<Result> => {
  const { team } = context
  if (team !== undefined && verb.access !== 'team')
    throw new WeirError('forbidden', `${verb.name} needs an administrator’s token; a team’s token reads its own spend`)
  const input = read(verb.input, raw, context.field)
  try {
    const result = await verb.run(input, team === undefined ? context : contextFor(team, context))
    if (verb.http.method !== 'GET') await lookAt(context.data) // what it changed holds when it answers
    return result
  } catch (error) {
    throw withField(error, verb as unknown as Verb, context.field)
  }
}
