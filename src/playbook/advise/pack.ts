/** From a page of the ledger's history to columns of numbers, which cost little to hand to another thread. */
import { type HistoryPage, historyCounts, historyMarks, historyPacks } from '../../core/history.ts'
import { parseUsd } from '../../core/money.ts'
import { fewNumbers } from './few.ts'
import { placesOf } from './head.ts'
import { othersTurn } from './turn.ts'

/** Numbers of a call: those of the history, then these, which are NaN where they are absent. Costs are picodollars. */
export const figures = [...historyCounts, 'temperature', 'cost', 'cost_of_all'] as const

/** Calls of a piece of a page, in order of time. Pieces are read in the order in which they were packed. */
export type Packed = Readonly<{
  /** Lines of the piece; those that another attempt stands for are no calls. */
  receipts: number
  calls: number
  /** `figures` of each call. */
  numbers: Float64Array
  /** The number of each call's head. */
  headed: Int32Array
  /** Heads that are new, in the order of their numbers. */
  heads: readonly string[]
  /** The history's keys of each call; in the thread that packed them they are parts of the page's text. */
  keys: readonly string[]
  /** Traces of levers, JSON, of the calls that have some. */
  levers: ReadonlyMap<number, string>
}>

const [PART, ZERO, MINUS, POINT] = [historyMarks.part.charCodeAt(0), 48, 45, 46]
const FIGURES = figures.length

/** So many digits make a whole number that a float holds exactly, whatever they are. */
const SURE_DIGITS = 15

/** A whole number in a part of a text, a point in it left out. */
const wholeIn = (text: string, from: number, to: number): number => {
  let whole = 0
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at)
    if (code !== POINT) whole = whole * 10 + code - ZERO
  }
  return whole
}

/** US dollars as the engine writes them, with twelve decimals, in picodollars; NaN where there are none. */
const picodollarsIn = (text: string, from: number, to: number): number => {
  if (from === to) return Number.NaN
  const point = to - 13
  const isPlain =
    point > from && text.charCodeAt(point) === POINT && to - from <= SURE_DIGITS && text.charCodeAt(from) !== MINUS
  return isPlain ? wholeIn(text, from, to) : Number(parseUsd(text.slice(from, to)))
}

/** The first of the texts, which are the last part. */
const receiptIdIn = (text: string, start: number): string => {
  let at = start
  for (let part = 0; part < historyPacks.length + 2; part++) at = text.indexOf(historyMarks.part, at) + 1
  return text.slice(at, text.indexOf(historyMarks.value, at))
}

/** Where each line of a page begins, in order of time; lines of one moment by their receipts. */
const linesOf = (text: string): readonly number[] => {
  const starts: number[] = []
  for (let at = text === '' ? -1 : 0; at >= 0; at = text.indexOf('\n', at) + 1 || -1) starts.push(at)
  const moments = starts.map((start) => wholeIn(text, start, text.indexOf(historyMarks.value, start)))
  if (moments.every((moment, at) => at === 0 || moment > (moments[at - 1] ?? 0))) return starts
  const idAt = (line: number): string => receiptIdIn(text, starts[line] ?? 0)
  return Array.from(starts.keys())
    .sort((one, two) => (moments[one] ?? 0) - (moments[two] ?? 0) || (idAt(one) < idAt(two) ? -1 : 1))
    .map((line) => starts[line] ?? 0)
}

/** Whole numbers with one character between them, up to a part's end: gives back where the next part begins. An absent one is zero. */
const countsInto = (numbers: Float64Array, place: number, text: string, from: number): number => {
  let [at, count, to] = [from, 0, place]
  for (; ; at++) {
    const code = text.charCodeAt(at)
    if (code >= ZERO && code < ZERO + 10) count = count * 10 + code - ZERO
    else {
      numbers[to] = count
      if (code === PART) return at + 1
      to += 1
      count = 0
    }
  }
}

/** What the first page says of calls of several attempts holds for all. */
const openRepeated = () => {
  const costs = new Map<string, number>()
  const left_out = new Set<string>()
  return {
    learn({ repeated }: HistoryPage): void {
      for (const { stands, others, cost_usd } of repeated) {
        for (const id of others) left_out.add(id)
        if (stands !== null) costs.set(stands, Number(parseUsd(cost_usd)))
      }
    },
    is_empty: () => costs.size === 0 && left_out.size === 0,
    isLeftOut: (id: string) => left_out.has(id),
    costOf: (id: string) => costs.get(id) ?? Number.NaN,
  }
}

const figureAt = placesOf(figures)

/** The columns of a page while it is packed. */
type Sheet = Readonly<{
  numbers: Float64Array<ArrayBuffer>
  headed: Int32Array<ArrayBuffer>
  keys: string[]
  levers: Map<number, string>
}>

/** What the last part says, the receipt's id aside. */
const textsInto = ({ numbers, levers }: Sheet, call: number, text: string, from: number): void => {
  const warm = text.indexOf(historyMarks.value, from)
  const paid = text.indexOf(historyMarks.value, warm + 1)
  const end = text.indexOf('\n', paid)
  numbers[call * FIGURES + figureAt.temperature] = from === warm ? Number.NaN : Number(text.slice(from, warm))
  numbers[call * FIGURES + figureAt.cost] = picodollarsIn(text, warm + 1, paid)
  const traces = text.slice(paid + 1, end < 0 ? undefined : end)
  if (traces !== '' && traces !== '[]') levers.set(call, traces)
}

export type Packer = Readonly<{
  /** The pieces of a page. */
  pack(page: HistoryPage): AsyncGenerator<Packed>
}>

/** Lines of a piece. Whoever else waits for this thread has its turn after each; and texts of a piece are gone before they have grown old. */
const PIECE = 2000

/** Packs the pages of one window, in their order. */
export const packer = (): Packer => {
  const [heads, repeated] = [fewNumbers(), openRepeated()]
  /** Nothing where another attempt stands for the call. */
  const lineInto = (sheet: Sheet, call: number, text: string, start: number): void => {
    const id = repeated.is_empty() ? '' : receiptIdIn(text, start)
    if (repeated.isLeftOut(id)) return
    const from = countsInto(sheet.numbers, call * FIGURES, text, start)
    let to = from - 1
    for (let pack = 0; pack < historyPacks.length; pack++) to = text.indexOf(historyMarks.part, to + 1)
    sheet.headed[call] = heads.of(text, from, to)
    const end = text.indexOf(historyMarks.part, to + 1)
    sheet.keys.push(text.slice(to + 1, end))
    textsInto(sheet, call, text, text.indexOf(historyMarks.value, end) + 1)
    sheet.numbers[call * FIGURES + figureAt.cost_of_all] = repeated.costOf(id)
  }
  return {
    async *pack(page) {
      repeated.learn(page)
      const all = linesOf(page.text)
      for (let from = 0; from < all.length; from += PIECE) {
        const starts = all.slice(from, from + PIECE)
        const [numbers, headed] = [new Float64Array(starts.length * FIGURES), new Int32Array(starts.length)]
        const sheet: Sheet = { numbers, headed, keys: [], levers: new Map() }
        for (const start of starts) lineInto(sheet, sheet.keys.length, page.text, start)
        yield { ...sheet, receipts: starts.length, calls: sheet.keys.length, heads: heads.fresh() }
        await othersTurn()
      }
    },
  }
}
