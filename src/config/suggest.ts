/** Edits (insert, delete, change, swap of neighbours) that turn one word into another. */
const distance = (one: string, other: string): number => {
  let before: number[] = []
  let row = Array.from({ length: other.length + 1 }, (_, i) => i)
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= other.length; j += 1) {
      const same = one[i - 1] === other[j - 1]
      const cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      next.push(swapped ? Math.min(cost, (before[j - 2] ?? 0) + 1) : cost)
    }
    before = row
    row = next
  }
  return row[other.length] ?? 0
}

/** The known word that was probably meant, or undefined where none is near: a third of its letters may differ. */
export const nearest = (word: string, known: Iterable<string>): string | undefined => {
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  const asked = word.toLowerCase()
  for (const candidate of known) {
    const edits = distance(asked, candidate.toLowerCase())
    const allowed = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3))
    if (edits <= allowed && edits < least) {
      least = edits
      best = candidate
    }
  }
  return best
}

/** ` Did you mean X?`, or the words there are, or nothing where they are too many to say. */
export const hint = (word: string, known: readonly string[]): string => {
  const meant = nearest(word, known)
  if (meant !== undefined) return `did you mean ${meant}?`
  return known.length <= 12 ? `known here: ${known.join(', ')}` : ''
}
