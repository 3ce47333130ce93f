import { undated } from '../../price/book.ts'

/** How a name of either side came to its model. words: the same words and numbers, in any order, and no other model has them. */
export type Alignment = Readonly<{ name: string; model: string; by: 'given' | 'dated' | 'price book' | 'words' }>

export type ModelNames = Readonly<{
  /** Names on the bill and in the ledger. */
  bill: ReadonlySet<string>
  ledger: ReadonlySet<string>
  /** What the user says: name on the bill → model in the ledger. */
  given: Readonly<Record<string, string>>
  /** The price book's own name of a model, where it has one. */
  known(name: string): string | undefined
  /** The bill has names of its own, so words may be compared. */
  own_names: boolean
}>

type Words = Readonly<{ key: string; date: string | undefined }>

/** Whose a model is, where it runs and which edition of the file it is: not what it is. */
const circumstance =
  /^(us|eu|au|jp|apac|in|anthropic|openai|amazon|google|meta|mistral|mistralai|cohere|deepseek|ai21|qwen|xai|models|publishers|edition|bedrock|v\d+)$/

/**
 * A name as its words, sorted, and its numbers, in order: `Claude4.6Sonnet` and `anthropic.claude-sonnet-4-6-v1:0` have the
 * same. A date is kept apart as month and day, because bills write no more of it (`gpt-4o-0806`).
 */
const wordsOf = (name: string): Words => {
  const stripped = name.replace(/[-@ ]v\d+(:\d+)?$/i, '').replace(/:\d+$/, '')
  const dated = /[-@ ](?:20\d\d-?)?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])$/.exec(stripped)
  const plain = dated === null ? stripped : stripped.slice(0, dated.index)
  const pieces = plain.toLowerCase().match(/[a-z]+|\d+/g) ?? []
  const words = pieces.filter((piece) => /^[a-z]/.test(piece) && !circumstance.test(piece)).sort()
  const numbers = pieces.filter((piece) => /^\d/.test(piece)).map(Number)
  return { key: `${words.join(' ')} ${numbers.join('.')}`, date: dated === null ? undefined : `${dated[1]}${dated[2]}` }
}

const agree = (one: Words, other: Words): boolean =>
  one.key === other.key && (one.date === undefined || other.date === undefined || one.date === other.date)

type Aligned = Readonly<{
  /** The model under which a name of either side is compared. */
  bill(name: string): string
  ledger(name: string): string
  alignments: readonly Alignment[]
}>

/**
 * Finds which names mean one model: a name on both sides is itself; then what the user gave, the price book's aliases, and
 * a name without its date; for bills with names of their own, the only model of the same words and numbers. Nothing else is
 * ever taken for the same.
 */
export const alignModels = ({ bill, ledger, given, known, own_names }: ModelNames): Aligned => {
  const standing = (name: string): Omit<Alignment, 'name'> | undefined => {
    const listed = known(name)
    // What the book lists under its own name is a model of its own, with a date or without.
    if (listed !== undefined) return listed === name ? undefined : { model: listed, by: 'price book' }
    const base = undated(name)
    return base === undefined ? undefined : { model: known(base) ?? base, by: 'dated' }
  }
  const settled = (name: string): boolean => bill.has(name) && ledger.has(name)
  const ledgerName = (name: string): string => (settled(name) ? name : (standing(name)?.model ?? name))
  const models = new Set([...ledger].map(ledgerName))
  const byWords = (name: string): string | undefined => {
    const words = wordsOf(name)
    const [found, ...others] = [...models].filter((model) => agree(wordsOf(model), words))
    return others.length === 0 ? found : undefined
  }
  const find = (name: string): Omit<Alignment, 'name'> | undefined => {
    const named = given[name]
    if (named !== undefined) return { model: ledgerName(named), by: 'given' }
    if (settled(name)) return undefined
    const other = standing(name)
    if (other !== undefined && (models.has(other.model) || !own_names)) return other
    const worded = own_names ? byWords(name) : undefined
    return worded === undefined ? other : { model: worded, by: 'words' }
  }
  const found = new Map([...bill].sort().map((name) => [name, find(name)] as const))
  const metered = [...ledger].sort().map((name) => [name, settled(name) ? undefined : standing(name)] as const)
  const alignments = [...found, ...metered].flatMap(([name, one]) =>
    one !== undefined && one.model !== name && models.has(one.model) ? [{ name, ...one }] : [],
  )
  return { bill: (name) => found.get(name)?.model ?? name, ledger: ledgerName, alignments }
}
