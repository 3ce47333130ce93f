/** Words that tell nothing about what a passage is about. */
const common = new Set(
  'a an and are as at be been but by can could did do does for from had has have how i if in into is it its me my no not of on or our please should so tell than that the their them then there these they this to us was we were what when where which who why will with would you your'.split(
    ' ',
  ),
)

/** A plural and its singular are one word; numbers and identifiers stay as they are. */
const stem = (word: string): string => {
  if (word.length < 5 || /\d/.test(word)) return word
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word
}

export const wordsOf = (text: string): string[] =>
  (text.toLowerCase().match(/[\p{L}\p{N}]+(?:[-_.][\p{L}\p{N}]+)*/gu) ?? [])
    .filter((word) => !common.has(word))
    .map(stem)

const count = (words: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

/** Okapi's constants as Robertson and Zaragoza recommend them (The Probabilistic Relevance Framework, 2009). */
const K1 = 1.2
const B = 0.75

/** BM25 of each passage for a question, the passages being the collection; 0 where they have no word in common. */
export const relevances = (question: string, passages: readonly string[]): number[] => {
  const asked = [...new Set(wordsOf(question))]
  const counted = passages.map((passage) => {
    const words = wordsOf(passage)
    return { counts: count(words), length: words.length }
  })
  const mean = counted.reduce((sum, { length }) => sum + length, 0) / Math.max(1, counted.length)
  const weights = asked.map((word) => {
    const having = counted.filter(({ counts }) => counts.has(word)).length
    return Math.log(1 + (counted.length - having + 0.5) / (having + 0.5))
  })
  return counted.map(({ counts, length }) => {
    const norm = K1 * (1 - B + (B * length) / Math.max(1, mean))
    return asked.reduce((sum, word, index) => {
      const times = counts.get(word) ?? 0
      return sum + ((weights[index] ?? 0) * times * (K1 + 1)) / (times + norm)
    }, 0)
  })
}

/** Cosines of a question's unit vector with those of passages. */
export const cosines = ([question, ...passages]: readonly Float32Array[]): number[] =>
  passages.map((passage) => passage.reduce((sum, value, index) => sum + value * (question?.[index] ?? 0), 0))
