import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Kit, LiveCall } from '../../src/core/lever.ts'
import type { Block, Outline } from '../../src/core/prompt.ts'
import type { Wish } from '../../src/playbook/compact/course.ts'
import { lever } from '../../src/playbook/compact/history.ts'
import { resume } from '../../src/playbook/compact/resume.ts'
import { callOf, kitOf } from './calling.ts'

const file = '../shared/data/agent-sessions.jsonl.gz'
const there = existsSync(file)
if (!there) process.stdout.write(`skipped: ${file} is not there\n`)

type Request = Readonly<{ t: number; model: string; in: number; parent: number | null; shared: number }>

const sessions = (): Request[][] =>
  gunzipSync(readFileSync(file))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { requests: Request[] }).requests)

/** A stretch of a prompt that came into it with one request. Cut short it still begins alike. */
type Piece = Readonly<{ id: string; tokens: number }>

/** The first tokens of a prompt. */
const beginning = (prompt: readonly Piece[], tokens: number): Piece[] => {
  const pieces: Piece[] = []
  let left = tokens
  for (const piece of prompt) {
    if (left <= 0) break
    pieces.push(left < piece.tokens ? { ...piece, tokens: left } : piece)
    left -= piece.tokens
  }
  return pieces
}

/** The prompts of a session as pieces: what a request shares with its parent, then what is new in it. */
const promptsOf = (requests: readonly Request[]): Piece[][] => {
  const prompts: Piece[][] = []
  for (const [index, { parent, shared, in: length }] of requests.entries()) {
    const pieces = parent === null ? [] : beginning(prompts[parent] ?? [], Math.min(shared, length))
    const tokens = length - pieces.reduce((sum, piece) => sum + piece.tokens, 0)
    prompts.push(tokens > 0 ? [...pieces, { id: `${index}`, tokens }] : pieces)
  }
  return prompts
}

const common = (left: readonly Piece[], right: readonly Piece[]): number => {
  let tokens = 0
  for (const [index, piece] of left.entries()) {
    const other = right[index]
    if (other?.id !== piece.id) break
    tokens += Math.min(piece.tokens, other.tokens)
    if (other.tokens !== piece.tokens) break
  }
  return tokens
}

const TTL_S = 300
const READ = 0.1
const WRITE = 1.25

/** A cache of five minutes, refreshed by reads: what a session's prompts cost, in fresh tokens. */
const cacheOf = () => {
  const kept = new Map<string, { prompt: readonly Piece[]; at: number }[]>()
  return (prompt: readonly Piece[], { t, model }: Request): number => {
    const live = (kept.get(model) ?? []).filter(({ at }) => t - at <= TTL_S)
    const read = live.reduce((best, other) => Math.max(best, common(prompt, other.prompt)), 0)
    kept.set(model, [...live, { prompt, at: t }])
    return read * READ + (prompt.reduce((sum, { tokens }) => sum + tokens, 0) - read) * WRITE
  }
}

const KEEP_TURNS = 6
/** What is left of an old turn. */
const SHARE = 0.3

const masked = ({ id, tokens }: Piece): Piece => ({ id: `${id} masked`, tokens: Math.ceil(tokens * SHARE) })

/** Pieces that grew old; the first is the task with tools and system. */
const isOld = (index: number, count: number) => index > 0 && index < count - KEEP_TURNS

const LONG = 'x'.repeat(2 ** 21)

/** A call with this prompt, a block a piece. Texts are as long as four times their tokens and say nothing. */
const liveCall = (pieces: readonly Piece[], { t, model }: Request, names: Map<string, string>): LiveCall => {
  let hash = ''
  let total = 0
  const hashes: string[] = []
  const tokens: number[] = []
  for (const piece of pieces) {
    const key = `${hash} ${piece.id} ${piece.tokens}`
    hash = names.get(key) ?? `${names.size}`
    names.set(key, hash)
    hashes.push(hash)
    total += piece.tokens
    tokens.push(total)
  }
  const blocks = pieces.map(
    (piece, part): Block => ({
      ...{
        part,
        kind: 'history',
        form: 'tool-result',
        role: 'tool',
        message: part,
        text: LONG.slice(0, piece.tokens * 4),
      },
      ...{ replaceable: true, removable: false, markable: false },
    }),
  )
  const outline: Outline = { blocks, definitions: [], marked: [], fields: {}, most_marks: 0 }
  const conversation = hashes[0] ?? ''
  return {
    ...bare,
    at_us: t * 1e6,
    model,
    fingerprints: { conversation },
    chain: { hashes, tokens },
    outline: () => outline,
  }
}

const bare = callOf({ messages: [{ role: 'user', content: 'x' }] })

/** The prompt that the lever's own decision leaves. */
const netted = (
  pieces: readonly Piece[],
  request: Request,
  kit: Kit,
  names: Map<string, string>,
  foresight: number,
): Piece[] => {
  const call = liveCall(pieces, request, names)
  const outline = call.outline() as Outline
  const course = resume(call, outline, kit, foresight)
  const done = new Set(course.made.map(({ block }) => block))
  const wishes = pieces.flatMap((piece, block): Wish[] =>
    isOld(block, pieces.length) && !done.has(block) ? [{ block, text: LONG.slice(0, masked(piece).tokens * 4) }] : [],
  )
  const pulled = course.finish(wishes, 'nothing is old')
  const made = new Set(
    pulled.do === 'change' ? pulled.changes.flatMap((change) => ('block' in change ? [change.block] : [])) : [],
  )
  return pieces.map((piece, index) => (made.has(index) ? masked(piece) : piece))
}

type Bill = Readonly<{ plain: number; eager: number; careful: number }>

/** Memory of one conversation apart from those of other sessions, whose pieces have the same names. */
const apart = (kit: Kit, session: number): Kit => {
  const { memory } = kit
  const own = (partition: string) => (partition === 'runs' ? partition : `${session} ${partition}`)
  const get = <T>(partition: string, key: string) => memory.get<T>(own(partition), key)
  return { ...kit, memory: { get, set: (partition, key, value) => memory.set(own(partition), key, value) } }
}

const bill = (foresight: number): Bill[] => {
  const kit = kitOf({ tokens: (text) => text.length / 4 })
  return sessions().map((requests, session) => {
    const [plain, eager, careful] = [cacheOf(), cacheOf(), cacheOf()]
    const names = new Map<string, string>()
    const doors = apart(kit, session)
    const sum = { plain: 0, eager: 0, careful: 0 }
    for (const [index, pieces] of promptsOf(requests).entries()) {
      const request = requests[index] as Request
      const always = pieces.map((piece, at) => (isOld(at, pieces.length) ? masked(piece) : piece))
      sum.plain += plain(pieces, request)
      sum.eager += eager(always, request)
      sum.careful += careful(netted(pieces, request, doors, names, foresight), request)
    }
    return sum
  })
}

const total = (bills: readonly Bill[], pick: (bill: Bill) => number) => bills.reduce((sum, bill) => sum + pick(bill), 0)

describe.skipIf(!there)('old turns of the agent sessions', () => {
  test('as the lever rewrites them by default make no session dearer, and all together a tenth cheaper or more', () => {
    const bills = bill(lever.settings.foresight.default)
    const share = total(bills, ({ careful }) => careful) / total(bills, ({ plain }) => plain)
    process.stdout.write(`old turns rewritten where it pays at once: ${(100 * share).toFixed(1)} % of the bill\n`)
    expect(bills).toHaveLength(364)
    expect(bills.filter(({ careful, plain }) => careful > plain * (1 + 1e-9))).toEqual([])
    expect(share).toBeLessThan(0.9)
  }, 120_000)

  test('rewritten with half of the expected calls in mind save more, and what single sessions lose is less than 1 % of it', () => {
    const bills = bill(0.5)
    const lost = total(bills, ({ careful, plain }) => Math.max(0, careful - plain))
    const saved = total(bills, ({ careful, plain }) => Math.max(0, plain - careful))
    expect(lost).toBeLessThan(0.01 * saved)
    const atOnce = bill(0)
    expect(total(bills, ({ careful }) => careful)).toBeLessThan(total(atOnce, ({ careful }) => careful))
  }, 120_000)

  test('rewritten on every turn, as a window that moves with the conversation does, cost more than left alone', () => {
    const bills = bill(0)
    expect(total(bills, ({ eager }) => eager)).toBeGreaterThan(total(bills, ({ plain }) => plain))
  }, 120_000)
})
