import { formatUsd, parseUsd, picodollars } from '../../../core/money.ts'
import { multiplyDecimal, plainDecimal } from '../../price/decimal.ts'

/** Decimal text as a whole number of 1e-12, rounded half up beyond. */
export const scaled = (text: string): bigint => parseUsd(text)

/** A whole number of 1e-12 as plain decimal text. */
export const unscaled = (number: bigint): string => formatUsd(picodollars(number))

/** A float as the shortest decimal that reads back as it, without exponent. */
export const floatText = (number: number): string => plainDecimal(String(number))

/** The product of two decimals as floats multiply them: what a validator that computes in DOUBLE compares with. */
export const floatProduct = (a: string, b: string): string => floatText(Number(a) * Number(b))

export { multiplyDecimal as multiplyExact }
