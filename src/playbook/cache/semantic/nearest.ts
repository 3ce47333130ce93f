/** A neighbour: the entry's number, and the cosine of the angle between. */
export type Neighbour = Readonly<{ entry: number; similarity: number }>

/** Unit vectors by number, bounded; the oldest goes first. */
export type Nearest = Readonly<{
  /** Gives the number, or that of the entry whose place it took. */
  add(vector: Float32Array): number
  /** The nearest entries, nearest first. */
  find(vector: Float32Array, count: number): readonly Neighbour[]
  readonly size: number
}>

/** Bits of a signature: signs of the vector in a turned space. The first 64 are looked at alone first. */
const BITS = 256
const WORDS = BITS / 32
const COARSE_WORDS = 2
/** Up to so many entries every vector is compared; beyond, the nearest by 64 bits, of them the nearest by 256. */
const COMPARE_ALL = 1000
const COARSE = 6144
const FINE = 448

/** Ones of a 32-bit word by four bits, counted in parallel (Warren, Hacker's Delight, 5-1). */
const byFour = (word: number): number => {
  const sums = word - ((word >>> 1) & 0x55555555)
  return (sums & 0x33333333) + ((sums >>> 2) & 0x33333333)
}

/** Ones of two words together: their counts by four bits are 8 at most, so they can be added before they are gathered. */
const ones = (left: number, right: number): number => {
  const sums = byFour(left) + byFour(right)
  return Math.imul((sums & 0x0f0f0f0f) + ((sums >>> 4) & 0x0f0f0f0f), 0x01010101) >>> 24
}

/** Signs that are the same in every process. */
const fixedSigns = (count: number): Int8Array => {
  let state = 0x2545f491
  return Int8Array.from({ length: count }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 1024 ? 1 : -1
  })
}

/** The Walsh–Hadamard transform in place; the length is a power of two. */
const transform = (values: Float32Array): void => {
  for (let half = 1; half < values.length; half *= 2)
    for (let from = 0; from < values.length; from += 2 * half)
      for (let index = from; index < from + half; index++) {
        const [a, b] = [values[index] ?? 0, values[index + half] ?? 0]
        values[index] = a + b
        values[index + half] = a - b
      }
}

/**
 * Makes the function that turns a vector into a signature: random signs and a Walsh–Hadamard transform, twice, turn the space
 * about as well as a random rotation does, in n log n steps (Ailon and Chazelle, 2006).
 */
const signer = (dimensions: number) => {
  const length = Math.max(BITS, 2 ** Math.ceil(Math.log2(dimensions)))
  const signs = fixedSigns(2 * length)
  const turned = new Float32Array(length)
  return (vector: Int8Array): Int32Array<ArrayBuffer> => {
    turned.fill(0)
    turned.set(vector)
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < length; index++)
        turned[index] = (turned[index] ?? 0) * (signs[round * length + index] ?? 0)
      transform(turned)
    }
    const signature = new Int32Array(WORDS)
    for (let bit = 0; bit < BITS; bit++)
      if ((turned[bit] ?? 0) > 0) signature[bit >> 5] = (signature[bit >> 5] ?? 0) | (1 << (bit & 31))
    return signature
  }
}

/** Eight bits a dimension. */
const eighth = (vector: Float32Array): Int8Array<ArrayBuffer> => {
  const bytes = new Int8Array(vector.length)
  for (let index = 0; index < bytes.length; index++) bytes[index] = Math.round((vector[index] ?? 0) * 127)
  return bytes
}

/** The distance within which at least `count` entries lie, and how many of those that lie just there make it exactly so many. */
const limitOf = (histogram: Uint32Array, count: number): Readonly<{ limit: number; ties: number }> => {
  let within = 0
  for (let distance = 0; distance < histogram.length; distance++) {
    const here = histogram[distance] ?? 0
    if (within + here >= count) return { limit: distance, ties: count - within }
    within += here
  }
  return { limit: histogram.length, ties: 0 }
}

/** Keeps the best few of a stream, best first; few, so insertion is the fastest. */
const bestOf = (count: number) => {
  const best: Neighbour[] = []
  return {
    best,
    offer(entry: number, similarity: number): void {
      const last = best[best.length - 1]
      if (best.length >= count && last && similarity <= last.similarity) return
      let place = best.length
      while (place > 0 && (best[place - 1]?.similarity ?? 1) < similarity) place--
      best.splice(place, 0, { entry, similarity })
      if (best.length > count) best.pop()
    },
  }
}

/** Memory that doubles as entries come. */
const rows = <T extends Int8Array<ArrayBuffer> | Int32Array<ArrayBuffer>>(
  make: (length: number) => T,
  width: number,
) => {
  let held = make(width * 256)
  return {
    get held() {
      return held
    },
    put(row: number, values: T): void {
      if ((row + 1) * width > held.length) {
        const old = held
        held = make(2 * old.length)
        held.set(old)
      }
      held.set(values, row * width)
    },
  }
}

/** Places of the distances that are within the limit, those of the first `ties` that lie just there among them. */
const selected = (
  distances: Uint8Array,
  length: number,
  { limit, ties }: ReturnType<typeof limitOf>,
  into: Int32Array,
): Int32Array => {
  let [count, left] = [0, ties]
  for (let index = 0; index < length; index++) {
    const distance = distances[index] ?? 0
    if (distance > limit || (distance === limit && left-- <= 0)) continue
    into[count++] = index
  }
  return into.subarray(0, count)
}

/** Of some entries those whose whole signatures, held one after the other, differ least. */
const narrower = (some: Int32Array, signature: Int32Array, held: Int32Array): Int32Array => {
  const histogram = new Uint32Array(BITS + 1)
  const apart = new Uint8Array(some.length)
  for (let index = 0; index < some.length; index++) {
    const from = (some[index] ?? 0) * WORDS
    let distance = 0
    for (let word = 0; word < WORDS; word += 2)
      distance += ones(
        (signature[word] ?? 0) ^ (held[from + word] ?? 0),
        (signature[word + 1] ?? 0) ^ (held[from + word + 1] ?? 0),
      )
    apart[index] = Math.min(distance, 255)
    histogram[distance] = (histogram[distance] ?? 0) + 1
  }
  return selected(apart, some.length, limitOf(histogram, FINE), new Int32Array(FINE)).map((index) => some[index] ?? 0)
}

/** The cosine of a vector and an entry's. */
const similarity = (vector: Int8Array, held: Int8Array, entry: number): number => {
  const { length } = vector
  const from = entry * length
  const whole = length & ~3
  // Four sums that do not wait for each other.
  let [one, two, three, four] = [0, 0, 0, 0]
  for (let index = 0; index < whole; index += 4) {
    const at = from + index
    one += (vector[index] ?? 0) * (held[at] ?? 0)
    two += (vector[index + 1] ?? 0) * (held[at + 1] ?? 0)
    three += (vector[index + 2] ?? 0) * (held[at + 2] ?? 0)
    four += (vector[index + 3] ?? 0) * (held[at + 3] ?? 0)
  }
  for (let index = whole; index < length; index++) one += (vector[index] ?? 0) * (held[from + index] ?? 0)
  return (one + two + three + four) / (127 * 127)
}

/**
 * Vectors of one partition, in flat memory: eight bits a dimension and a signature of 256 bits an entry. A lookup among many
 * compares the vectors of the entries with the most similar signatures.
 */
export const nearest = (dimensions: number, most: number): Nearest => {
  const sign = signer(dimensions)
  const vectors = rows((length): Int8Array<ArrayBuffer> => new Int8Array(length), dimensions)
  const coarse = rows((length): Int32Array<ArrayBuffer> => new Int32Array(length), COARSE_WORDS)
  const whole = rows((length): Int32Array<ArrayBuffer> => new Int32Array(length), WORDS)
  /** Distances of all entries by their first 64 bits: kept, because they are many. */
  let distances = new Uint8Array(0)
  const near = new Int32Array(COARSE)
  let used = 0
  let next = 0

  /** The entries whose first 64 bits differ least. */
  const narrow = (signature: Int32Array): Int32Array => {
    if (distances.length < used) distances = new Uint8Array(2 * used)
    const { held } = coarse
    const [first = 0, second = 0] = signature
    const histogram = new Uint32Array(32 * COARSE_WORDS + 1)
    for (let entry = 0; entry < used; entry++) {
      const distance = ones(first ^ (held[2 * entry] ?? 0), second ^ (held[2 * entry + 1] ?? 0))
      distances[entry] = distance
      histogram[distance] = (histogram[distance] ?? 0) + 1
    }
    return selected(distances, used, limitOf(histogram, COARSE), near)
  }
  const candidates = (vector: Int8Array): Iterable<number> => {
    if (used <= COMPARE_ALL) return Array(used).keys()
    const signature = sign(vector)
    return narrower(narrow(signature), signature, whole.held)
  }

  return {
    get size() {
      return used
    },
    add(vector) {
      const entry = next
      const bytes = eighth(vector)
      const signature = sign(bytes)
      vectors.put(entry, bytes)
      coarse.put(entry, signature.subarray(0, COARSE_WORDS))
      whole.put(entry, signature)
      used = Math.max(used, entry + 1)
      next = (entry + 1) % most
      return entry
    },
    find(vector, count) {
      const bytes = eighth(vector)
      const { best, offer } = bestOf(count)
      const { held } = vectors
      for (const entry of candidates(bytes)) offer(entry, similarity(bytes, held, entry))
      return best
    },
  }
}
