import { WeirError } from '../core/errors.ts'
import { type FieldProblem, InputError } from '../verbs/perform.ts'

/** The one shape in which anything that went wrong is said. */
export type ErrorBody = Readonly<{
  error: Readonly<{ code: string; message: string; fields?: readonly FieldProblem[] }>
}>

export type Refusal = Readonly<{ status: number; body: ErrorBody; headers: Readonly<Record<string, string>> }>

/** What is wrong with which field; undefined where it is none of an input. */
const fieldsOf = (error: WeirError): readonly FieldProblem[] | undefined => {
  if (error instanceof InputError) return error.fields
  return error.field === undefined ? undefined : [{ field: error.field, message: error.message }]
}

/** The one translator at the edge. What is no WeirError is a fault of ours, of which nothing is told outside. */
export const refusalOf = (error: unknown): Refusal => {
  const known = error instanceof WeirError ? error : new WeirError('internal', 'the console failed; its log says where')
  const { code, message, status, retry_after_s } = known
  const fields = fieldsOf(known)
  return {
    status,
    body: { error: { code, message, ...(fields === undefined ? {} : { fields }) } },
    headers: {
      // What is too long is not read to its end, so nothing more can come on this connection.
      ...(status === 413 ? { connection: 'close' } : {}),
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="weir console"' } : {}),
      ...(retry_after_s === undefined ? {} : { 'retry-after': String(retry_after_s) }),
    },
  }
}
