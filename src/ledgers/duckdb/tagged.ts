/**
 * Virtual tags: for one question, views in front of the receipts (and of their roll-up) in which rules have said anew who
 * pays. Every query reads `receipts`, so every answer sees the rules, and none can forget them; the money is not touched.
 */
import type { VirtualTag } from '../../core/allocation.ts'
import { WeirError } from '../../core/errors.ts'
import { isGlob } from '../../core/glob.ts'
import type { Question } from '../../core/ledger.ts'
import { dailyColumns } from './daily.ts'
import type { Session } from './engine.ts'
import { raw, sql } from './sql.ts'
import { first } from './values.ts'

/** The closed tables of what rules can read and set: no name of a rule ever becomes SQL. */
const readable: Readonly<Record<string, string>> = {
  key_id: 'key_id',
  team: 'team',
  feature: 'feature',
  customer: 'customer',
  user: '"user"',
  environment: 'environment',
  session: 'session',
  agent: 'agent',
  provider: 'provider',
  model: 'coalesce(model_served, model_asked)',
  model_asked: 'model_asked',
  endpoint: 'endpoint',
  wire: 'wire',
  region: 'region',
  origin: 'origin',
}
const settable: readonly string[] = ['team', 'feature', 'customer', 'user', 'environment']

/** Questions about receipts themselves rather than about who pays: as long as they do not ask for somebody's. */
const untouched: readonly Question['ask'][] = ['call', 'extent', 'ratios']

const isUntouched = (question: Question): boolean => {
  const filters = 'filters' in question ? (question.filters ?? []) : []
  return untouched.includes(question.ask) && filters.length === 0
}

const MOST_RULES = 1000

/** A view takes no parameters, so the texts of the rules travel in a variable of the session, and the view names their places. */
type Texts = Readonly<{ all: string[]; place(text: string): string }>

const textsOf = (): Texts => {
  const all: string[] = []
  const places = new Map<string, number>()
  return {
    all,
    place(text) {
      const known = places.get(text) ?? all.push(text)
      places.set(text, known)
      return `getvariable('weir_tags')[${known}]`
    },
  }
}

const bad = (message: string): WeirError => new WeirError('bad-request', message)

const isTag = (field: string): boolean => field.startsWith('tag:') && field.length > 4

const columnOf = (field: string, texts: Texts): string => {
  if (isTag(field)) return `tags[${texts.place(field.slice(4))}]`
  if (Object.hasOwn(readable, field)) return readable[field] ?? ''
  throw bad(`Rules cannot read ${JSON.stringify(field)}; they read ${Object.keys(readable).join(', ')} and tag:NAME`)
}

/** A glob as a pattern of LIKE whose escape is `!`: a star, a question mark, or a character that may have a backslash before it. */
const likeOf = (glob: string): string =>
  glob.replace(/\\(.)|[\s\S]/gsu, (found: string, escaped: string | undefined) => {
    if (found === '*') return '%'
    if (found === '?') return '_'
    return (escaped ?? found).replace(/[%_!]/, '!$&')
  })

type Values = string | readonly string[] | null

const among = (value: string, values: Values, texts: Texts): string => {
  if (values === null) return `${value} IS NULL`
  const list = typeof values === 'string' ? [values] : values
  const tests = list.map((one) =>
    isGlob(one) ? `${value} LIKE ${texts.place(likeOf(one))} ESCAPE '!'` : `${value} = ${texts.place(one)}`,
  )
  return tests.length === 0 ? 'false' : `(${tests.join(' OR ')})`
}

type Condition = VirtualTag['when'][string]
const isNegated = (condition: Condition): condition is Readonly<{ not: Values }> =>
  condition !== null && typeof condition === 'object' && !Array.isArray(condition)

/** What is absent is not among any values, so it meets `not`. */
const test = (field: string, condition: Condition, texts: Texts): string => {
  const value = columnOf(field, texts)
  return isNegated(condition)
    ? `NOT coalesce(${among(value, condition.not, texts)}, false)`
    : among(value, condition as Values, texts)
}

/** The value of a field under the rules: of the first that holds and sets it, else what stands on the receipt. */
const caseOf = (field: string, rules: readonly VirtualTag[], texts: Texts): string => {
  const branches = rules.flatMap(({ when, set }) => {
    const source = Object.hasOwn(set, field) ? set[field] : undefined
    if (source === undefined) return []
    const tests = Object.entries(when).map(([name, condition]) => test(name, condition, texts))
    const value = typeof source === 'string' ? texts.place(source) : columnOf(source.from, texts)
    const holds = typeof source === 'string' ? tests : [...tests, `${value} IS NOT NULL`]
    return [`WHEN ${holds.length > 0 ? holds.join(' AND ') : 'true'} THEN ${value}`]
  })
  return `CASE ${branches.join(' ')} ELSE ${columnOf(field, texts)} END`
}

const fieldsOf = (rules: readonly VirtualTag[]): readonly string[] => {
  const fields = [...new Set(rules.flatMap(({ set }) => Object.keys(set)))]
  const wrong = fields.find((field) => !isTag(field) && !settable.includes(field))
  if (wrong !== undefined)
    throw bad(`Rules cannot set ${JSON.stringify(wrong)}; they set ${settable.join(', ')} and tag:NAME`)
  return fields
}

/** Tags that rules set are put over those of the receipt; a value that no rule gives and the receipt lacks adds none. */
const tagsOf = (names: readonly string[], rules: readonly VirtualTag[], texts: Texts): string => {
  const entries = names.map((name) => `{key: ${texts.place(name.slice(4))}, value: ${caseOf(name, rules, texts)}}`)
  const given = `list_filter([${entries.join(', ')}], lambda entry: entry.value IS NOT NULL)`
  return `map_concat(coalesce(tags, MAP {}), map_from_entries(${given}))`
}

const daily = new Set<string>([...dailyColumns, 'model'])

/** Can the roll-up be tagged like the receipts? Not where a rule reads what it does not keep. */
const fitsDaily = (rules: readonly VirtualTag[], fields: readonly string[]): boolean =>
  rules.every(({ when, set }) => {
    if (!Object.keys(set).some((field) => fields.includes(field) && daily.has(field))) return true
    const sources = Object.values(set).flatMap((source) => (typeof source === 'string' ? [] : [source.from]))
    return [...Object.keys(when), ...sources].every((field) => daily.has(field))
  })

const replaced = (fields: readonly string[], rules: readonly VirtualTag[], texts: Texts): string =>
  fields.map((field) => `${caseOf(field, rules, texts)} AS "${field}"`).join(', ')

/**
 * Puts the question's rules between it and the receipts, for this session. Throws WeirError `bad-request` for a rule that
 * reads or sets what it cannot.
 */
export const retag = async (session: Session, question: Question): Promise<void> => {
  const { tags: rules = [] } = question
  if (rules.length === 0 || isUntouched(question)) return
  if (rules.length > MOST_RULES) throw bad(`${rules.length} rules; ${MOST_RULES} at most`)
  const texts = textsOf()
  const fields = fieldsOf(rules)
  const tagNames = fields.filter(isTag)
  const payers = fields.filter((field) => !isTag(field))
  const columns = [
    replaced(payers, rules, texts),
    tagNames.length > 0 ? `${tagsOf(tagNames, rules, texts)} AS tags` : '',
  ].filter((text) => text !== '')
  if (columns.length === 0) return
  const kept = payers.filter((field) => daily.has(field))
  const rolled = fitsDaily(rules, kept) && kept.length > 0 ? replaced(kept, rules, texts) : ''
  await session.run(sql`SET VARIABLE weir_tags = from_json(${JSON.stringify(texts.all)}::JSON, '["VARCHAR"]')`)
  const found = first(await session.rows(sql`SELECT current_database() AS name`))
  const home = `"${String(found['name']).replaceAll('"', '""')}".main`
  const view = (name: string, select: string) =>
    session.run(raw(`CREATE TEMP VIEW ${name} AS SELECT ${select} FROM ${home}.${name}`))
  for (const name of ['receipts', 'spending']) await view(name, `* REPLACE (${columns.join(', ')})`)
  if (kept.length === 0) return
  if (rolled === '')
    await session.run(raw(`CREATE TEMP VIEW daily_days AS SELECT * FROM ${home}.daily_days WHERE false`))
  else await view('daily', `* REPLACE (${rolled})`)
}
