import { WeirError } from '../core/errors.ts'

/** A flag that counts. Throws WeirError `bad-input` when it is not a whole number above 0. */
export const countFlag = (flag: string, text: string | undefined, otherwise: number): number => {
  if (text === undefined) return otherwise
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new WeirError('bad-input', `${flag} ${text}: expected a whole number above 0`)
}

/** A flag that takes 0 as well, up to `most`. Throws WeirError `bad-input` when it is no such whole number. */
export const wholeFlag = (flag: string, text: string, most: number): number => {
  if (/^\d+$/.test(text) && Number(text) <= most) return Number(text)
  throw new WeirError('bad-input', `${flag} ${text}: expected a whole number from 0 to ${most}`)
}
