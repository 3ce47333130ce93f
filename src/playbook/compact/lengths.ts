/**
 * How long the answers of a route are: counts in bins that grow by an eighth of an octave, so that a quantile is known to
 * within 9 % in a few hundred bytes. Older answers fade: every time that `FADE` are counted, all counts are halved.
 */
export type Lengths = {
  /** A bin and its count, the next bin and its count …, ascending: most routes have few bins, and a map weighs more than all of them. */
  readonly bins: number[]
  counted: number
  since_cut: number
  lift: number
}

const BINS_AN_OCTAVE = 8
const FADE = 4096

export const noLengths = (): Lengths => ({
  bins: [],
  counted: 0,
  since_cut: 0,
  lift: 1,
})

const binOf = (tokens: number) => Math.ceil(BINS_AN_OCTAVE * Math.log2(Math.max(1, tokens)))
/** The longest answer of a bin. */
const edgeOf = (bin: number) => Math.ceil(2 ** (bin / BINS_AN_OCTAVE))

const countIn = (bins: number[], bin: number): void => {
  let at = 0
  while (at < bins.length && (bins[at] ?? 0) < bin) at += 2
  if (bins[at] === bin) bins[at + 1] = (bins[at + 1] ?? 0) + 1
  else bins.splice(at, 0, bin, 1)
}

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
  countIn(lengths.bins, binOf(tokens))
  lengths.counted += 1
  lengths.since_cut += 1
  if (lengths.since_cut >= CALM && lengths.lift > 1) {
    lengths.lift /= 2
    lengths.since_cut = 0
  }
  if (lengths.counted < FADE) return
  lengths.counted = 0
  for (let at = 1; at < lengths.bins.length; at += 2) {
    const count = (lengths.bins[at] ?? 0) / 2
    lengths.bins[at] = count
    lengths.counted += count
  }
}

/** The length that at least this share of the answers do not exceed, in tokens. */
const quantile = ({ bins, counted }: Lengths, share: number): number => {
  // From the longest down, because few answers are beyond it.
  let beyond = counted - share * counted + 1e-9
  for (let at = bins.length - 2; at >= 0; at -= 2) {
    beyond -= bins[at + 1] ?? 0
    if (beyond < 0) return edgeOf(bins[at] ?? 0)
  }
  return edgeOf(0)
}

export type Capping = Readonly<{ quantile: number; margin: number; floor_tokens: number; least_answers: number }>

/** The cap that holds now, in tokens; undefined until enough answers were seen. */
export const capOf = (lengths: Lengths, capping: Capping): number | undefined => {
  if (lengths.counted < capping.least_answers) return undefined
  return Math.max(capping.floor_tokens, Math.ceil(quantile(lengths, capping.quantile) * capping.margin)) * lengths.lift
}
