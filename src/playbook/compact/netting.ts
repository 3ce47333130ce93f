/** Tokens that an edit would take out of a prompt, and how many tokens of the prompt stand before them. */
export type Cut = Readonly<{ at: number; tokens: number }>

/** What an edit meets at the provider's cache. Prices are of one token, all in one currency unit. */
export type Standing = Readonly<{
  /** Tokens of the prefix that would be read from the cache if nothing more were changed; 0 where it is cold. */
  warm: number
  /** Prefix lengths that stay readable whatever follows them, ascending: other marks, or every step of an automatic cache. */
  readable: (at: number) => number
  /** Price of a token that is read, and of one that is not and is written (or sent fresh, where nothing is kept). */
  read: number
  write: number
  /** How many more calls are expected to send these tokens again before the cache goes cold. */
  further: number
}>

const sum = (cuts: readonly Cut[], from: number): number => {
  let tokens = 0
  for (let index = from; index < cuts.length; index++) tokens += cuts[index]?.tokens ?? 0
  return tokens
}

/**
 * What making these cuts (ascending) comes to, in the prices' unit; below zero where they cost more than they save. Of a
 * prompt whose first `warm` tokens would have been read, what lies behind the first cut is written again:
 *
 *     tokens × write + further × tokens × read − (warm − still readable) × (write − read)
 *
 * The first term is this call's (what is taken out is neither read nor written), the second the later calls', and the
 * third the cache reads that the edit destroys. Behind `warm` nothing is destroyed, so an edit of new content always pays.
 */
export const net = (cuts: readonly Cut[], standing: Standing): number => {
  const first = cuts[0]
  if (!first) return 0
  const { warm, read, write, further } = standing
  const tokens = sum(cuts, 0)
  const saved = tokens * write + further * tokens * read
  if (first.at >= warm) return saved
  const lost = warm - Math.min(standing.readable(first.at), first.at)
  return saved - lost * Math.max(0, write - read)
}

/** Cuts from `from` on are to be made; `gain` is what they come to. `refused` is what the best of the others would cost. */
export type Choice = Readonly<{ from: number; gain: number; refused: number }>

/**
 * Which of the cuts (ascending) to make. Once a cut destroys the reads behind it, every later one is free, so the choice is
 * where to begin: never in what the cache holds, unless that pays better than leaving it alone.
 */
export const choose = (cuts: readonly Cut[], standing: Standing): Choice => {
  const fresh = cuts.findIndex(({ at }) => at >= standing.warm)
  let from = fresh < 0 ? cuts.length : fresh
  let gain = net(cuts.slice(from), standing)
  const untouched = gain
  let refused = Number.NEGATIVE_INFINITY
  for (let index = from - 1; index >= 0; index--) {
    const whole = net(cuts.slice(index), standing)
    refused = Math.max(refused, whole - untouched)
    if (whole <= gain) continue
    from = index
    gain = whole
  }
  return { from, gain, refused: from > 0 && Number.isFinite(refused) ? refused : 0 }
}
