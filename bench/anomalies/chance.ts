/** What the streams of the benchmark are drawn from. */
import { type Chance, chance, seedOf } from '../../src/core/chance.ts'

/** Every stream has chance of its own, by its name. */
export const chanceOf = (text: string): Chance => chance(seedOf(text))

export const normal = (next: Chance): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())

export const poisson = (next: Chance, mean: number): number => {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(next)))
  let [count, product] = [0, next()]
  const limit = Math.exp(-mean)
  while (product > limit) {
    product *= next()
    count += 1
  }
  return count
}

export const pick = <T>(next: Chance, list: readonly T[]): T => list[Math.floor(next() * list.length)] as T
