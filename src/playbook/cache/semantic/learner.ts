import { upperRate } from './bound.ts'

/** What tells a right answer from a wrong one, as numbers of about the same size; the first is always 1. */
export type Features = readonly number[]

/** What the user promises his users. Rates and confidence are shares, 0 … 1. */
export type Bound = Readonly<{ most_wrong: number; confidence: number }>

/** What is learnt of a partition's candidates: how likely each is right, and from where on they may be served. */
export type Learner = Readonly<{
  /** How likely the candidate is right, 0 … 1. */
  chance(features: Features): number
  /** Does the bound hold for candidates of this chance? */
  allows(chance: number): boolean
  /** A candidate was compared with the model's own answer. */
  verified(features: Features, right: boolean): void
  /** A candidate was served. */
  served(): void
  readonly verifications: number
}>

/** So many of the latest verified candidates are looked at: older ones tell of other traffic. */
const WINDOW = 3000
const REFIT_EVERY = 25
/** A region is judged by at least so many. */
const FEWEST = 100
const STEP = 25
/** After so many failing steps no larger region is tried: the order is fixed beforehand, so that no luck is picked. */
const FAILURES = 3
/**
 * Of the region for which the bound holds only the best tenth is served at first, and all of it after so many answers: what holds on
 * the mean does not hold for the first fifty.
 */
const FIRST_SHARE = 0.1
const WIDENED_AFTER = 1000
const RATE = 0.5
const START = [-1, 1]

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))

type Verified = Readonly<{ features: Features; right: boolean }>

/** Logistic regression, learnt as it goes: each weight's steps shrink with what it has learnt (AdaGrad). */
const regression = () => {
  const weights = [...START]
  const squares: number[] = []
  const chance = (features: Features): number =>
    sigmoid(features.reduce((sum, value, index) => sum + value * (weights[index] ?? 0), 0))
  return {
    chance,
    learn(features: Features, right: boolean): void {
      const miss = (right ? 1 : 0) - chance(features)
      for (const [index, value] of features.entries()) {
        const slope = miss * value
        const square = (squares[index] ?? 1e-8) + slope * slope
        squares[index] = square
        weights[index] = (weights[index] ?? 0) + (RATE * slope) / Math.sqrt(square)
      }
    },
  }
}

type Ranked = Readonly<{ chance: number; right: boolean }>

/** How many of the best ranked the bound holds for: regions grow from the top until they fail (fixed sequence testing). */
const widest = (ranked: readonly Ranked[], { most_wrong, confidence }: Bound): number => {
  let [wrong, failures, holds] = [0, 0, 0]
  for (const [index, { right }] of ranked.entries()) {
    if (!right) wrong += 1
    const count = index + 1
    if (count < FEWEST || count % STEP !== 0) continue
    if (upperRate(wrong, count, confidence) <= most_wrong) holds = count
    else if (count >= 3 * FEWEST && ++failures >= FAILURES) break
  }
  return holds
}

/**
 * Learns from candidates that were compared with the model's own answer. A candidate may be served where, among the verified ones that
 * were at least as likely to be right, the share of wrong ones is below the promise with the promised confidence: first
 * nothing is served, and nothing is where answers are not alike.
 */
export const learner = (promise: Bound): Learner => {
  const model = regression()
  const window: Verified[] = []
  /** Chances of the candidates in the region for which the bound holds, best first. */
  let region: readonly number[] = []
  let verifications = 0
  let served = 0

  const refit = (): void => {
    const ranked = window
      .map(({ features, right }) => ({ chance: model.chance(features), right }))
      .sort((a, b) => b.chance - a.chance)
    region = ranked.slice(0, widest(ranked, promise)).map(({ chance }) => chance)
  }
  return {
    chance: model.chance,
    allows(chance) {
      const share = Math.min(1, FIRST_SHARE + served / WIDENED_AFTER)
      const last = region[Math.ceil(share * region.length) - 1]
      return last !== undefined && chance >= last
    },
    verified(features, right) {
      model.learn(features, right)
      window.push({ features, right })
      if (window.length > WINDOW) window.shift()
      verifications += 1
      if (verifications % REFIT_EVERY === 0) refit()
    },
    served() {
      served += 1
    },
    get verifications() {
      return verifications
    },
  }
}
