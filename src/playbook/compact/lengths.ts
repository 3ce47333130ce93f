/**
 * How long the answers of a route are: counts in bins that grow by an eighth of an octave, so that a quantile is known to
 * within 9 % in a few hundred bytes. Older answers fade: every time that `FADE` are counted, all counts are halved.
 */
export type Lengths = { readonly bins: number[]; counted: number; since_cut: number; lift: number }

const BINS_AN_OCTAVE = 8
const FADE = 4096

export const noLengths = (): Lengths => ({ bins: [], counted: 0, since_cut: 0, lift: 1 })

const binOf = (tokens: number) => Math.ceil(BINS_AN_OCTAVE * Math.log2(Math.max(1, tokens)))
/** The longest answer of a bin. */
const edgeOf = (bin: number) => Math.ceil(2 ** (bin / BINS_AN_OCTAVE))

/** How many whole answers it takes until a raised cap is lowered again by one step. */
const CALM = 200
const MOST_LIFT = 16

/**
 * Notes an answer. One that was cut says only that the cap was too low: the cap is doubled, and lowered again after 200
 * answers that were whole.
 */
export const noteLength = (lengths: Lengths, tokens: number, was_cut: boolean): void => {
  if (was_cut) {
    lengths.lift = Math.min(MOST_LIFT, lengths.lift * 2)
    lengths.since_cut = 0
    return
  }
  const bin = binOf(tokens)
  lengths.bins[bin] = (lengths.bins[bin] ?? 0) + 1
  lengths.counted += 1
  lengths.since_cut += 1
  if (lengths.since_cut >= CALM && lengths.lift > 1) {
    lengths.lift /= 2
    lengths.since_cut = 0
  }
  if (lengths.counted < FADE) return
  lengths.counted = 0
  for (const [index, count] of lengths.bins.entries()) {
    lengths.bins[index] = (count ?? 0) / 2
    lengths.counted += lengths.bins[index] ?? 0
  }
}

/** The length that at least this share of the answers do not exceed, in tokens. */
const quantile = (lengths: Lengths, share: number): number => {
  let left = share * lengths.counted
  for (const [bin, count] of lengths.bins.entries()) {
    left -= count ?? 0
    if (left <= 1e-9) return edgeOf(bin)
  }
  return edgeOf(lengths.bins.length)
}

export type Capping = Readonly<{ quantile: number; margin: number; floor_tokens: number; least_answers: number }>

/** The cap that holds now, in tokens; undefined until enough answers were seen. */
export const capOf = (lengths: Lengths, capping: Capping): number | undefined => {
  if (lengths.counted < capping.least_answers) return undefined
  return Math.max(capping.floor_tokens, Math.ceil(quantile(lengths, capping.quantile) * capping.margin)) * lengths.lift
}
