/** Counts different numbers of 32 bits, in 8 to 16 bytes each. */
export const distinctNumbers = () => {
  let places = new Int32Array(1024)
  let size = 0
  let has_zero = false
  const mask = (): number => places.length - 1
  /** The place of a number, or the free one where it would be. Numbers that are hashes lie apart as they are. */
  const placeOf = (number: number): number => {
    let place = number & mask()
    while (places[place] !== 0 && places[place] !== number) place = (place + 1) & mask()
    return place
  }
  const grow = (): void => {
    const full = places
    places = new Int32Array(full.length * 2)
    for (const number of full) if (number !== 0) places[placeOf(number)] = number
  }
  return {
    add(number: number): void {
      // Zero is how a free place is known.
      if (number === 0) {
        if (!has_zero) size += 1
        has_zero = true
        return
      }
      const place = placeOf(number)
      if (places[place] === number) return
      places[place] = number
      size += 1
      if (size * 2 > places.length) grow()
    },
    size: (): number => size,
  }
}
