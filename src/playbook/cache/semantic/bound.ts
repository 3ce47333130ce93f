/** Natural logarithm of n over k. */
const logChoose = (n: number, k: number): number => {
  let sum = 0
  for (let index = 1; index <= k; index++) sum += Math.log((n - k + index) / index)
  return sum
}

/** The chance of at most `wrong` of `count` at the rate `rate`. */
const atMost = (wrong: number, count: number, rate: number): number => {
  let sum = 0
  for (let index = 0; index <= wrong; index++)
    sum += Math.exp(logChoose(count, index) + index * Math.log(rate) + (count - index) * Math.log1p(-rate))
  return sum
}

/**
 * The largest rate that `wrong` of `count` are still consistent with, at this confidence (0 … 1): the one-sided bound of
 * Clopper and Pearson (1934), which is never too low. 1 without a count.
 */
export const upperRate = (wrong: number, count: number, confidence: number): number => {
  if (count === 0 || wrong >= count) return 1
  let [low, high] = [wrong / count, 1]
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2
    if (atMost(wrong, count, middle) > 1 - confidence) low = middle
    else high = middle
  }
  return high
}
