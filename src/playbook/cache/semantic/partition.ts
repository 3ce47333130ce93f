import { type Bound, type Features, learner } from './learner.ts'
import { type Nearest, nearest } from './nearest.ts'

/** A question as it is compared. */
export type Question = Readonly<{
  vector: Float32Array
  /** What must be equal to the letter (`guardsOf`), by its hash. */
  guards: string
}>

/** An answer that might serve a question. */
export type Candidate = Readonly<{
  /** The group of questions that have it in common. */
  group: string
  features: Features
  /** How likely it is right, 0 … 1. */
  chance: number
  /** Does the error bound hold for it? */
  allowed: boolean
}>

/** What is noted of a question that the model has answered. The state of a partition is a fold over such notes. */
export type Note = Readonly<{
  question: Question
  at_us: number
  /** The group that it belongs to: its own name where no known answer is the same. */
  group: string
  /** What had been the candidate, and whether its answer was the model's. */
  verified?: Readonly<{ features: Features; group: string; right: boolean }>
}>

export type Partition = Readonly<{
  /** The most likely answer of all that are known, if any. */
  candidate(question: Question, at_us: number): Candidate | undefined
  /** Groups that a question's fresh answer may belong to, nearest first. */
  groupsNear(question: Question, at_us: number, most: number): readonly string[]
  /** Gives back the group that is forgotten with the question in whose place this one comes, where that was its last. */
  note(note: Note): string | undefined
  served(): void
  /** How many are remembered. */
  readonly questions: number
  readonly verifications: number
}>

/** Neighbours that vote. */
const VOTERS = 20
/** Nearer neighbours count more: the fourth power of the cosine. */
const voteOf = (similarity: number): number => Math.max(0, similarity) ** 4

type Entry = Readonly<{ group: string; guards: string; at_us: number }>
type Tally = { votes: number; count: number; best: number; guards: Set<string> }
type Tried = { right: number; wrong: number }

const tallyOf = (entries: readonly (readonly [entry: Entry, similarity: number])[]): Map<string, Tally> => {
  const groups = new Map<string, Tally>()
  for (const [{ group, guards }, similarity] of entries) {
    const tally = groups.get(group) ?? { votes: 0, count: 0, best: 0, guards: new Set() }
    tally.votes += voteOf(similarity)
    tally.count += 1
    tally.best = Math.max(tally.best, similarity)
    tally.guards.add(guards)
    groups.set(group, tally)
  }
  return groups
}

/**
 * What tells right from wrong: how far the neighbours agree, how near the nearest is, how much nearer than those with another
 * answer, how many there are, and how often this answer was right before. The agreement counts most: one near neighbour
 * may ask something else, twenty that have one answer in common hardly do.
 */
const featuresOf = (top: Tally, all: Map<string, Tally>, { right, wrong }: Tried): Features => {
  let [votes, other] = [0, 0]
  for (const tally of all.values()) {
    votes += tally.votes
    if (tally !== top) other = Math.max(other, tally.best)
  }
  const share = (top.votes + 0.002) / (votes + 0.004)
  return [
    1,
    Math.log(share / (1 - share)),
    top.best,
    top.best - other,
    Math.log1p(top.count),
    Math.log((right + 2) / (wrong + 0.5)),
  ]
}

export type PartitionSettings = Bound & Readonly<{ most_entries: number; ttl_us: number }>

/** Everything that is known of one partition: its questions, which of them have one answer, and how often that was right. */
export const openPartition = (settings: PartitionSettings): Partition => {
  const learnt = learner(settings)
  const entries: Entry[] = []
  const records = new Map<string, Tried>()
  /** How many questions of each group are remembered. */
  const members = new Map<string, number>()
  let index: Nearest | undefined

  const near = (question: Question, at_us: number): (readonly [Entry, number])[] =>
    (index?.find(question.vector, VOTERS) ?? []).flatMap(({ entry, similarity }) => {
      const found = entries[entry]
      return found && at_us - found.at_us < settings.ttl_us ? [[found, similarity] as const] : []
    })
  /** A question of a group is forgotten. Gives back the group where it was its last. */
  const leave = (group: string): string | undefined => {
    const left = (members.get(group) ?? 0) - 1
    if (left > 0) {
      members.set(group, left)
      return undefined
    }
    members.delete(group)
    records.delete(group)
    return group
  }
  const recordOf = (group: string): Tried => records.get(group) ?? { right: 0, wrong: 0 }
  return {
    candidate(question, at_us) {
      const groups = tallyOf(near(question, at_us))
      let [name, top]: [string, Tally | undefined] = ['', undefined]
      for (const [group, tally] of groups) if (!top || tally.votes > top.votes) [name, top] = [group, tally]
      if (!top?.guards.has(question.guards)) return undefined
      const features = featuresOf(top, groups, recordOf(name))
      const chance = learnt.chance(features)
      return { group: name, features, chance, allowed: learnt.allows(chance) }
    },
    groupsNear: (question, at_us, most) => [...tallyOf(near(question, at_us)).keys()].slice(0, most),
    note({ question, at_us, group, verified }) {
      index ??= nearest(question.vector.length, settings.most_entries)
      const place = index.add(question.vector)
      const before = entries[place]
      entries[place] = { group, guards: question.guards, at_us }
      members.set(group, (members.get(group) ?? 0) + 1)
      const gone = before && leave(before.group)
      if (!verified) return gone
      learnt.verified(verified.features, verified.right)
      const record = recordOf(verified.group)
      record[verified.right ? 'right' : 'wrong'] += 1
      if (members.has(verified.group)) records.set(verified.group, record)
      return gone
    },
    served: learnt.served,
    get questions() {
      return index?.size ?? 0
    },
    get verifications() {
      return learnt.verifications
    },
  }
}
