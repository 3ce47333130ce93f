import { WeirError } from '../../core/errors.ts'
import type { Chosen, Ended, Kit, Lever, LiveCall, Pulled, Schema } from '../../core/lever.ts'
import type { Past } from '../../core/past.ts'
import { find, slotOf, tagsOf } from './forms.ts'
import { guardsOf } from './semantic/guards.ts'
import { lexicalVector } from './semantic/lexical.ts'
import { type Kept, readNote, type Said, writeNote } from './semantic/notes.ts'
import { type Candidate, openPartition, type Partition, type Question } from './semantic/partition.ts'
import { askedBy } from './semantic/question.ts'
import { saidOf, saySame } from './semantic/same.ts'

const NAME = 'cache/semantic'

const settings = {
  most_wrong_percent: {
    type: 'number',
    default: 2,
    least: 0.1,
    most: 20,
    unit: '%',
    about: 'of the answers that are served at most so many are wrong',
  },
  confidence_percent: {
    type: 'number',
    default: 95,
    least: 80,
    most: 99.9,
    unit: '%',
    about: 'how sure that must be before anything is served',
  },
  explore_percent: {
    type: 'number',
    default: 5,
    least: 1,
    most: 100,
    unit: '%',
    about: 'share of servable calls that the model answers all the same, for ever: it keeps the bound true',
  },
  same_answer_percent: {
    type: 'number',
    default: 90,
    least: 50,
    most: 100,
    unit: '%',
    about: 'two answers with equal numbers, names and negations say the same when their words are so similar',
  },
  ttl_s: { type: 'number', default: 86_400, least: 1, unit: 's', about: 'how long an answer may be served' },
  most_questions: {
    type: 'number',
    default: 20_000,
    least: 100,
    most: 1_000_000,
    about: 'questions that are remembered a partition; the oldest go first',
  },
  most_bytes: {
    type: 'number',
    default: 268_435_456,
    least: 1_048_576,
    unit: 'bytes',
    about: 'all stored answers together; those used least lately go first',
  },
} as const satisfies Schema

type Settings = Chosen<typeof settings>

/** What is known of a partition in this thread, and how far the notes have been read. */
type Known = { readonly partition: Partition; readonly said: Map<string, Said>; position: number }

/** What was asked of a call, until it ends. */
type Pending = Readonly<{ name: string; known: Known; question: Question; candidate: Candidate | undefined }>
const pending = new WeakMap<LiveCall, Pending>()

/** Groups of which the fresh answer is compared, the candidate's first. */
const COMPARED = 8
const MICRO = 1e6

const open = (chosen: Settings): Known => ({
  partition: openPartition({
    most_wrong: chosen.most_wrong_percent / 100,
    confidence: chosen.confidence_percent / 100,
    most_entries: chosen.most_questions,
    ttl_us: chosen.ttl_s * MICRO,
  }),
  said: new Map(),
  position: 0,
})

const take = (known: Known, note: Kept): void => {
  const gone = known.partition.note(note)
  if (note.says) known.said.set(note.group, note.says)
  if (gone !== undefined) known.said.delete(gone)
}

/**
 * The partition as it is by now: what other threads, and runs before, have noted is read in. Policies that promise different bounds
 * learn from the same notes, each for itself.
 */
const knownOf = (name: string, chosen: Settings, kit: Kit): Known => {
  const { most_wrong_percent, confidence_percent, most_questions, ttl_s } = chosen
  const promise = [most_wrong_percent, confidence_percent, most_questions, ttl_s].join(' ')
  const known = kit.memory.get<Known>(name, promise) ?? open(chosen)
  kit.memory.set(name, promise, known)
  if (!kit.notes) return known
  const { notes, position } = kit.notes.after(name, known.position)
  known.position = position
  for (const text of notes) {
    const note = readNote(text)
    if (note) take(known, note)
  }
  return known
}

/** The text's vector. Throws a WeirError where the embedder is down or too slow: its words are for the receipt. */
const vectorOf = async (text: string, { embedder }: Kit): Promise<Float32Array> => {
  if (!embedder) return lexicalVector(text)
  const failed = (cause?: unknown) =>
    cause instanceof WeirError && cause.code === 'circuit-open'
      ? cause
      : new WeirError('provider-unreachable', 'the embedder failed, or was slower than its deadline', { cause })
  const [vector] = await embedder.embed([text]).catch((error: unknown) => Promise.reject(failed(error)))
  if (!vector) throw failed()
  return vector
}

const questionOf = async (text: string, kit: Kit): Promise<Question> => {
  const vector = await vectorOf(text, kit)
  return { vector, guards: kit.hash(guardsOf(text)) }
}

const nothing = (why: string): Pulled => ({ do: 'nothing', why })

const decide = (call: LiveCall, asked: Pending, chosen: Settings, kit: Kit): Pulled => {
  const { candidate, known, name } = asked
  const { verifications } = known.partition
  if (!candidate) return nothing('nothing like it was asked before')
  if (!candidate.allowed) return nothing(`the error bound does not hold for it yet (${verifications} verified)`)
  if (kit.random() * 100 < chosen.explore_percent) return nothing('sent to the model to keep the error bound true')
  const found = find(call, kit, name, candidate.group)
  if (!found) return nothing('its answer is no longer kept')
  const { answer, came } = found
  if (!answer) return nothing(`its answer came ${came}`)
  const chance = (100 * candidate.chance).toFixed(1)
  const form = came === undefined ? '' : `, ${came}`
  return { do: 'answer', answer, why: `a question with the same answer was asked before${form} (${chance} % likely)` }
}

const pull = async (call: LiveCall, chosen: Settings, kit: Kit): Promise<Pulled> => {
  const trouble = kit.answers ? kit.answers.trouble() : 'there is no file for stored answers'
  if (trouble !== undefined) return nothing(trouble)
  const asked = askedBy(call, kit)
  if (typeof asked === 'string') return nothing(asked)
  const question = await questionOf(asked.text, kit)
  const known = knownOf(asked.partition, chosen, kit)
  const candidate = known.partition.candidate(question, kit.now_us())
  const waiting = { name: asked.partition, known, question, candidate }
  pending.set(call, waiting)
  return decide(call, waiting, chosen, kit)
}

/** The known group whose answer says the same as the fresh one, the candidate's first. */
const groupOf = (asked: Pending, says: Said, chosen: Settings, at_us: number): string | undefined => {
  const { candidate, known, question } = asked
  const near = known.partition.groupsNear(question, at_us, COMPARED)
  const groups = candidate ? [candidate.group, ...near.filter((group) => group !== candidate.group)] : near
  return groups.find((group) => {
    const said = known.said.get(group)
    return said !== undefined && saySame(said, says, chosen.same_answer_percent / 100)
  })
}

/** Notes what the model has answered: in which group the question is, and whether the candidate was right. */
const noteAnswer = (asked: Pending, ended: Ended, text: string, chosen: Settings, kit: Kit): void => {
  const { candidate, known, name, question } = asked
  const at_us = kit.now_us()
  const says = saidOf(text, kit.hash)
  const same = groupOf(asked, says, chosen, at_us)
  const group = same ?? ended.receipt.receipt_id
  const note: Kept = {
    question,
    at_us,
    group,
    ...(same === undefined ? { says } : {}),
    ...(candidate
      ? { verified: { features: candidate.features, group: candidate.group, right: candidate.group === same } }
      : {}),
  }
  // What is noted comes back with the notes of other threads; where there are none, it is known here only.
  if (!kit.notes?.add(name, writeNote(note), chosen.most_questions)) take(known, note)
  const { body, content_type, receipt } = ended
  if (!body || content_type === undefined || (same !== undefined && find(ended.call, kit, name, group)?.answer)) return
  const answer = { body, content_type, receipt_id: receipt.receipt_id, stored_at_us: at_us }
  kit.answers?.put(name, slotOf(group, ended.call.stream), answer, {
    ttl_s: chosen.ttl_s,
    tags: tagsOf(ended.call),
    most_bytes: chosen.most_bytes,
    lever: NAME,
  })
}

/** Finish reasons of answers that are whole, in the words of the wires. */
const WHOLE = new Set(['stop', 'end_turn', 'stop_sequence', 'completed', 'STOP', 'COMPLETE'])

const learn = (ended: Ended, chosen: Settings, kit: Kit): void => {
  const asked = pending.get(ended.call)
  if (!asked) return
  pending.delete(ended.call)
  const { receipt } = ended
  // What is only observed counts too, so that what is promised is what is then served.
  if (ended.pulled?.do === 'answer') asked.known.partition.served()
  const good = receipt.outcome === 'ok' && WHOLE.has(receipt.finish_reason ?? '') && ended.is_refusal !== true
  if (!good || ended.is_whole === false || ended.has_tool_calls === true || ended.fell_back) return
  const text = ended.text?.()
  if (text !== undefined && text !== '') noteAnswer(asked, ended, text, chosen, kit)
}

/** A receipt has no words: what would have been served is known where the lever was observed, and nowhere else. */
const replay =
  () =>
  (past: Past): Past => {
    const seen = past.traces.find(({ name }) => name === NAME)
    return seen?.action === 'observed' && !past.answered ? { ...past, answered: true } : past
  }

/**
 * Answers a question with the answer to another one that means the same. It begins in shadow: every answer of the model is compared with
 * the one that would have been served, and nothing is served before the share of wrong ones is bounded as the user asked.
 */
export const lever: Lever<typeof settings> = {
  name: NAME,
  play: 'cache',
  about: 'answers a question that means the same as an earlier one, with a bounded share of wrong answers',
  settings,
  traits: {
    certainty: 'estimated',
    risk: 'bounded',
    effort: 'configure',
    spread: {
      low: 0.7,
      high: 1.15,
      why: 'what is served is no longer compared, so that less is learnt than in shadow',
    },
    wants_answer: 1_048_576,
    embeds: true,
    needs_observing: true,
  },
  pull,
  learn,
  replay,
}
