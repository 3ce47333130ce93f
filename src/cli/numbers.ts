import { WeirError } from '../core/errors.ts'

/** A flag that counts. Throws WeirError `bad-input` when it is not a whole number above 0. */
export const countFlag = (flag: string, text: string | undefined, otherwise: number): number => {
  if (text === undefined) return otherwise
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new WeirError('bad-input', `${flag} ${text}: expected a whole number above 0`)
}
