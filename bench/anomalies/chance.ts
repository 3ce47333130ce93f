/** Seeded chance, so that every run of the benchmark sees the same streams. */
export type Chance = () => number

/** A small fast generator of numbers in [0, 1) (mulberry32), from a text: every stream has its own. */
export const chanceOf = (text: string): Chance => {
  let state = 2_166_136_261
  for (let at = 0; at < text.length; at += 1) state = Math.imul(state ^ text.charCodeAt(at), 16_777_619)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const normal = (chance: Chance): number =>
  Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance())

export const poisson = (chance: Chance, mean: number): number => {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(chance)))
  let [count, product] = [0, chance()]
  const limit = Math.exp(-mean)
  while (product > limit) {
    product *= chance()
    count += 1
  }
  return count
}

export const pick = <T>(chance: Chance, list: readonly T[]): T => list[Math.floor(chance() * list.length)] as T
