/** A neighbour: the entry's number, and the cosine of the angle between. */
export type Neighbour = Readonly<{ entry: number; similarity: number }>

/** Unit vectors by number, bounded; the oldest goes first. */
export type Nearest = Readonly<{
  /** Gives the number, or that of the entry whose place it took. */
  add(vector: Float32Array): number
  /** Takes an entry out. */
  remove(entry: number): void
  /** The nearest entries, nearest first. */
  find(vector: Float32Array, count: number): readonly Neighbour[]
  readonly size: number
}>

/** Bits of a signature: signs of the vector in a turned space. The first 64 are looked at alone first. */
const BITS = 256
const WORDS = BITS / 16
const COARSE_WORDS = 4
/** Up to so many entries every vector is compared; beyond, the nearest by 64 bits, of them the nearest by 256. */
const COMPARE_ALL = 1000
const COARSE = 4096
const FINE = 384

/** Ones in every 16-bit word. */
const ones = new Uint8Array(1 << 16)
for (let word = 1; word < ones.length; word++) ones[word] = (ones[word >> 1] ?? 0) + (word & 1)

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
  return (vector: Int8Array): Uint16Array<ArrayBuffer> => {
    turned.fill(0)
    turned.set(vector)
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < length; index++)
        turned[index] = (turned[index] ?? 0) * (signs[round * length + index] ?? 0)
      transform(turned)
    }
    const signature = new Uint16Array(WORDS)
    for (let bit = 0; bit < BITS; bit++)
      if ((turned[bit] ?? 0) > 0) signature[bit >> 4] = (signature[bit >> 4] ?? 0) | (1 << (bit & 15))
    return signature
  }
}

/** Eight bits a dimension. */
const eighth = (vector: Float32Array): Int8Array<ArrayBuffer> => {
  const bytes = new Int8Array(vector.length)
  for (let index = 0; index < bytes.length; index++) bytes[index] = Math.round((vector[index] ?? 0) * 127)
  return bytes
}

/** Numbers from 0 up, by their smallest distances: at least `count` of `among`, where there are as many. */
const closest = (among: Uint32Array, distances: Uint16Array, count: number): Uint32Array => {
  const histogram = new Uint32Array(BITS + 1)
  for (let index = 0; index < among.length; index++) {
    const distance = distances[index] ?? 0
    histogram[distance] = (histogram[distance] ?? 0) + 1
  }
  let limit = 0
  for (let within = 0; limit < BITS; limit++) {
    within += histogram[limit] ?? 0
    if (within >= count) break
  }
  let kept = 0
  const found = new Uint32Array(among.length)
  for (let index = 0; index < among.length; index++)
    if ((distances[index] ?? 0) <= limit) found[kept++] = among[index] ?? 0
  return found.subarray(0, kept)
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
const rows = <T extends Int8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>>(
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

/**
 * Vectors of one partition, in flat memory: eight bits a dimension and a signature of 256 bits an entry. A lookup among many
 * compares the vectors of the entries with the most similar signatures.
 */
export const nearest = (dimensions: number, most: number): Nearest => {
  const sign = signer(dimensions)
  const vectors = rows((length): Int8Array<ArrayBuffer> => new Int8Array(length), dimensions)
  const coarse = rows((length): Uint16Array<ArrayBuffer> => new Uint16Array(length), COARSE_WORDS)
  const whole = rows((length): Uint16Array<ArrayBuffer> => new Uint16Array(length), WORDS)
  const present = new Set<number>()
  /** 0, 1, 2 …: kept, because it is long. */
  let numbers = new Uint32Array(0)
  let used = 0
  let next = 0

  /** The entries of `among` whose signatures differ least in the first `width` words of `held`. */
  const narrow = (among: Uint32Array, held: Uint16Array, width: number, signature: Uint16Array, count: number) => {
    const distances = new Uint16Array(among.length)
    for (let index = 0; index < among.length; index++) {
      const from = (among[index] ?? 0) * width
      let distance = 0
      for (let word = 0; word < width; word++) distance += ones[(signature[word] ?? 0) ^ (held[from + word] ?? 0)] ?? 0
      distances[index] = distance
    }
    return closest(among, distances, count)
  }
  const similarity = (vector: Int8Array, held: Int8Array, entry: number): number => {
    let sum = 0
    const from = entry * dimensions
    for (let index = 0; index < dimensions; index++) sum += (vector[index] ?? 0) * (held[from + index] ?? 0)
    return sum / (127 * 127)
  }
  const candidates = (vector: Int8Array): Uint32Array => {
    if (numbers.length < used) {
      numbers = new Uint32Array(Math.max(2 * used, 256))
      for (let entry = 0; entry < numbers.length; entry++) numbers[entry] = entry
    }
    const all = numbers.subarray(0, used)
    if (used <= COMPARE_ALL) return all
    const signature = sign(vector)
    const some = narrow(all, coarse.held, COARSE_WORDS, signature, COARSE)
    return narrow(some, whole.held, WORDS, signature, FINE)
  }

  return {
    get size() {
      return present.size
    },
    add(vector) {
      const entry = next
      const bytes = eighth(vector)
      const signature = sign(bytes)
      vectors.put(entry, bytes)
      coarse.put(entry, signature.subarray(0, COARSE_WORDS))
      whole.put(entry, signature)
      present.add(entry)
      used = Math.max(used, entry + 1)
      next = (entry + 1) % most
      return entry
    },
    remove(entry) {
      present.delete(entry)
    },
    find(vector, count) {
      const bytes = eighth(vector)
      const { best, offer } = bestOf(count)
      const { held } = vectors
      for (const entry of candidates(bytes)) if (present.has(entry)) offer(entry, similarity(bytes, held, entry))
      return best
    },
  }
}
