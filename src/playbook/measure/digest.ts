/** Gives 16 hexadecimal digits (64 bits) of a text, e.g. the head of its SHA-1. */
export type Hash = (text: string) => string

/** A text of this length or more is hashed by itself, once a call, and stands for itself by its digest: nobody may be able to make a second one. */
export const LONG_TEXT = 256
/** Remembered texts that are compared before a text is hashed anew. */
const NEARBY = 64

/**
 * Long texts by digest, short ones as they are. Digests are remembered for the time of one call, because prompt parts and
 * body share their strings, in nearly the same order; so a text is looked for beside the last one found. (A Map would
 * have to hash every string by itself, which costs as much as the digest.)
 */
export const digests = (hash: Hash) => {
  const texts: string[] = []
  const found: string[] = []
  let cursor = 0
  return (text: string): string => {
    if (text.length < LONG_TEXT) return text
    const near = Math.min(texts.length, NEARBY)
    for (let step = 0; step < near; step++) {
      const index = (cursor + step) % texts.length
      if (texts[index] !== text) continue
      cursor = index + 1
      return found[index] ?? ''
    }
    const digest = hash(text)
    texts.push(text)
    found.push(digest)
    return digest
  }
}

/**
 * A running 64-bit hash that says its value after any text, which a native hash cannot do without a call (about 1 µs)
 * each time. Each text enters with its length, so no two sequences of texts enter alike. Two 32-bit lanes, multiplied and
 * rotated for every two UTF-16 units, with MurmurHash3's finaliser. Not for secrets.
 */
export const runningHash = () => {
  let high = 0x9e3779b9 | 0
  let low = 0x85ebca6b | 0
  return {
    add(text: string): void {
      let a = Math.imul(high ^ text.length, 0x9e3779b1)
      let b = low
      const pairs = text.length & ~1
      for (let index = 0; index < pairs; index += 2) {
        const pair = text.charCodeAt(index) | (text.charCodeAt(index + 1) << 16)
        a = Math.imul(a ^ pair, 0x9e3779b1)
        b = Math.imul(b ^ pair ^ (a >>> 15), 0x85ebca77)
        a = (a << 13) | (a >>> 19)
        b = (b << 17) | (b >>> 15)
      }
      if (pairs < text.length) a = Math.imul(a ^ text.charCodeAt(pairs), 0x9e3779b1)
      high = a
      low = b
    },
    state: (): Lanes => ({ a: high, b: low }),
  }
}

export type Lanes = Readonly<{ a: number; b: number }>

const finalise = (lane: number) => {
  let mixed = lane ^ (lane >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** Words of 16 bits that were written before. */
const words: (string | undefined)[] = new Array(0x10000)

/** 16 bits as four hexadecimal digits. */
const hexadecimalWord = (word: number): string => {
  const known = words[word]
  if (known !== undefined) return known
  const written = word.toString(16).padStart(4, '0')
  words[word] = written
  return written
}

/** The value of a running hash as 16 hexadecimal digits. */
export const hexadecimal = ({ a, b }: Lanes): string => {
  const high = finalise(a ^ (b >>> 7))
  const low = finalise(b ^ Math.imul(a, 0x27d4eb2f))
  return (
    hexadecimalWord(high >>> 16) +
    hexadecimalWord(high & 0xffff) +
    hexadecimalWord(low >>> 16) +
    hexadecimalWord(low & 0xffff)
  )
}
