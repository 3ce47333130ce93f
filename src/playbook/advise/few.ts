/** Numbers for texts of which there are few, however often they come. */
import { apart } from './head.ts'

/** Every so manieth character tells texts apart well enough to find where they are compared as a whole. */
const STEP = 3

const bitsIn = (text: string, from: number, to: number): number => {
  let bits = to - from
  for (let at = from; at < to; at += STEP) bits = Math.imul(bits ^ text.charCodeAt(at), 0x01000193)
  return bits ^ (bits >>> 15)
}

/** Numbers texts from zero up, in the order in which they first come. */
export const fewNumbers = () => {
  const known: string[] = []
  let places = new Int32Array(1024)
  let told = 0
  const put = (number: number): void => {
    const text = known[number] ?? ''
    let place = bitsIn(text, 0, text.length) & (places.length - 1)
    while (places[place] !== 0) place = (place + 1) & (places.length - 1)
    places[place] = number + 1
  }
  const add = (text: string): number => {
    known.push(text)
    if (known.length * 2 > places.length) {
      places = new Int32Array(places.length * 2)
      for (const number of known.keys()) put(number)
    } else put(known.length - 1)
    return known.length - 1
  }
  return {
    of(text: string, from: number, to: number): number {
      const part = text.slice(from, to)
      for (let place = bitsIn(text, from, to); ; place += 1) {
        const number = places[place & (places.length - 1)] ?? 0
        if (number === 0) return add(apart(part))
        if (known[number - 1] === part) return number - 1
      }
    },
    /** Those that are new since it was last asked. */
    fresh(): readonly string[] {
      const fresh = known.slice(told)
      told = known.length
      return fresh
    },
  }
}
