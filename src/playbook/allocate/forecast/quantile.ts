/** Quantile of the standard normal, for 0.5 ≤ p < 1; error below 4.5e-4 (Abramowitz and Stegun 26.2.23). */
const normalQuantile = (p: number): number => {
  const t = Math.sqrt(-2 * Math.log(1 - p))
  return t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t ** 3)
}

/** Quantile of Student's t (0.5 ≤ p < 1, three degrees of freedom or more) by its Cornish–Fisher expansion. */
export const studentQuantile = (p: number, freedom: number): number => {
  const z = normalQuantile(p)
  const first = (z ** 3 + z) / 4
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384
  return z + first / freedom + second / freedom ** 2 + third / freedom ** 3
}
