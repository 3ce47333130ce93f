/**
 * How long the answers of a route are: counts in bins that grow by an eighth of an octave, so that a quantile is known to
 * within 9 % in a few hundred bytes. Older answers fade: every time that `FADE` are counted, all counts are halved.
 */
export type Lengths = {
  readonly bins: Map<number, number>
  /** The last bin that has any. */
  longest: number
  counted: number
  since_cut: number
  lift: number
}

const BINS_AN_OCTAVE = 8
const FADE = 4096

export const noLengths = (): Lengths => ({
  bins: new Map(),
  longest: 0,
  counted: 0,
  since_cut: 0,
  lift: 1,
})

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
  lengths.bins.set(bin, (lengths.bins.get(bin) ?? 0) + 1)
  lengths.longest = Math.max(lengths.longest, bin)
  lengths.counted += 1
  lengths.since_cut += 1
  if (lengths.since_cut >= CALM && lengths.lift > 1) {
    lengths.lift /= 2
    lengths.since_cut = 0
  }
  if (lengths.counted < FADE) return
  lengths.counted = 0
  for (const [bin, count] of lengths.bins) {
    lengths.bins.set(bin, count / 2)
    lengths.counted += count / 2
  }
}

/** The length that at least this share of the answers do not exceed, in tokens. */
const quantile = ({ bins, longest, counted }: Lengths, share: number): number => {
  // From the longest down, because few answers are beyond it.
  let beyond = counted - share * counted + 1e-9
  let bin = longest
  while (bin > 0) {
    beyond -= bins.get(bin) ?? 0
    if (beyond < 0) break
    bin -= 1
  }
  return edgeOf(bin)
}

export type Capping = Readonly<{ quantile: number; margin: number; floor_tokens: number; least_answers: number }>

/** The cap that holds now, in tokens; undefined until enough answers were seen. */
export const capOf = (lengths: Lengths, capping: Capping): number | undefined => {
  if (lengths.counted < capping.least_answers) return undefined
  return Math.max(capping.floor_tokens, Math.ceil(quantile(lengths, capping.quantile) * capping.margin)) * lengths.lift
}
