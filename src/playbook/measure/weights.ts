/** Characters of a text that was counted, and its tokens at the model. */
export type Counted = Readonly<{ characters: number; tokens: number }>

/** Characters that a token stands for; what lies outside says that something else than text was counted, e.g. a picture. */
const [FEWEST, MOST] = [1, 16]

/**
 * Characters of each part, as they weigh in tokens: a text that was counted weighs what it counts, and the others share the rest of
 * `input_tokens` by their characters. Undefined where there is nothing to go by but characters.
 */
export const weightsOf = (
  parts: readonly Readonly<{ text: string }>[],
  input_tokens: number | undefined,
  counted: ReadonlyMap<number, Counted> | undefined,
): readonly number[] | undefined => {
  if (counted === undefined || counted.size === 0 || input_tokens === undefined) return undefined
  let [characters, tokens] = [0, input_tokens]
  for (const { text } of parts) characters += text.length
  for (const one of counted.values()) {
    characters -= one.characters
    tokens -= one.tokens
  }
  const each = tokens > 0 ? characters / tokens : 0
  if (each < FEWEST || each > MOST) return undefined
  return parts.map(({ text }, at) => {
    const known = counted.get(at)
    return known === undefined ? text.length : text.length - known.characters + known.tokens * each
  })
}
