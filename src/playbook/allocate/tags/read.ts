import { globProblem } from '../../../core/glob.ts'
import { isReadable, isSettable, readable, settable } from './fields.ts'
import { type TagRule, unreachable } from './rules.ts'

/** What is wrong with a rule; `rule` counts from 1, 0 means the list itself. `field` is a path in the rule, e.g. `when.team`. */
export type RuleProblem = Readonly<{ rule: number; name?: string; field: string; message: string }>

export type ReadRules = Readonly<{ rules: readonly TagRule[]; problems: readonly RuleProblem[] }>

type Complaint = readonly [field: string, message: string]
type Complaints = readonly Complaint[]

const MOST_RULES = 1000
const LONGEST_VALUE = 256

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const checkGlob = (field: string, value: unknown): Complaints => {
  if (typeof value !== 'string') return [[field, `${JSON.stringify(value)} is no text: write a glob, a list or null`]]
  const problem = globProblem(value)
  return problem === undefined ? [] : [[field, `the glob ${JSON.stringify(value)} ${problem}`]]
}

const checkValues = (field: string, value: unknown): Complaints => {
  if (value === null) return []
  if (!Array.isArray(value)) return checkGlob(field, value)
  if (value.length === 0) return [[field, 'an empty list never holds: name a value']]
  return value.flatMap((one, at) => checkGlob(`${field}[${at}]`, one))
}

const checkCondition = (field: string, value: unknown): Complaints => {
  if (!isRecord(value)) return checkValues(field, value)
  const words = Object.keys(value)
  if (words.length === 1 && words[0] === 'not') return checkValues(`${field}.not`, value['not'])
  return [[field, `only \`not\` can stand here, found ${words.join(', ') || 'nothing'}`]]
}

const checkWhen = (when: unknown): Complaints => {
  if (!isRecord(when)) return [['when', 'must be fields with their conditions; {} holds for everything']]
  return Object.entries(when).flatMap(([field, condition]): Complaints => {
    if (isReadable(field)) return checkCondition(`when.${field}`, condition)
    return [[`when.${field}`, `no such field: there are ${readable.join(', ')} and tag:NAME`]]
  })
}

const checkSource = (field: string, source: unknown): Complaints => {
  if (source === '') return [[field, 'an empty value is no owner: leave the field out']]
  if (typeof source === 'string')
    return source.length > LONGEST_VALUE ? [[field, `is longer than ${LONGEST_VALUE} characters`]] : []
  const from = isRecord(source) && Object.keys(source).length === 1 ? source['from'] : undefined
  if (typeof from !== 'string') return [[field, 'must be a text, or { from: FIELD }']]
  return isReadable(from) ? [] : [[`${field}.from`, `no such field: there are ${readable.join(', ')} and tag:NAME`]]
}

const checkSet = (set: unknown): Complaints => {
  if (!isRecord(set) || Object.keys(set).length === 0) return [['set', 'must name at least one field to set']]
  return Object.entries(set).flatMap(([field, source]): Complaints => {
    if (isSettable(field)) return checkSource(`set.${field}`, source)
    return [[`set.${field}`, `cannot be set: there are ${settable.join(', ')} and tag:NAME`]]
  })
}

const checkRule = (rule: unknown): Complaints => {
  if (!isRecord(rule)) return [['', 'a rule must have `when` and `set`']]
  const strange = Object.keys(rule).filter((word) => !['name', 'when', 'set'].includes(word))
  const named = rule['name'] === undefined || typeof rule['name'] === 'string'
  return [
    ...strange.map((word): Complaint => [word, 'no such word: a rule has name, when and set']),
    ...(named ? [] : ([['name', 'must be a text']] as const)),
    ...checkWhen(rule['when']),
    ...checkSet(rule['set']),
  ]
}

const nameOf = (rule: unknown): { name?: string } =>
  isRecord(rule) && typeof rule['name'] === 'string' ? { name: rule['name'] } : {}

/**
 * Reads rules from what a file or a request holds. Every problem is named with its rule and field: unknown fields, bad
 * globs, empty values, rules that an earlier one always precedes. With any problem `rules` is empty: half a list of rules
 * would charge the wrong owners.
 */
export const readTagRules = (input: unknown): ReadRules => {
  if (!Array.isArray(input))
    return { rules: [], problems: [{ rule: 0, field: '', message: 'must be a list of rules' }] }
  const problems: RuleProblem[] = []
  if (input.length > MOST_RULES) problems.push({ rule: 0, field: '', message: `more than ${MOST_RULES} rules` })
  input.forEach((rule: unknown, at) => {
    for (const [field, message] of checkRule(rule)) problems.push({ rule: at + 1, ...nameOf(rule), field, message })
  })
  if (problems.length > 0) return { rules: [], problems }
  const rules = input as TagRule[]
  for (const [at, earlier] of unreachable(rules)) {
    const message = `never reached: rule ${earlier + 1} holds wherever this one does and sets the same; move it up or remove it`
    problems.push({ rule: at + 1, ...nameOf(rules[at]), field: 'when', message })
  }
  return { rules: problems.length > 0 ? [] : rules, problems }
}
