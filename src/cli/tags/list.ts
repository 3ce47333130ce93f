import type { RuleSet, VirtualTag } from '../../core/allocation.ts'
import { nothing, plural } from '../show/format.ts'
import { type Look, paint } from '../show/look.ts'
import { type Column, table } from '../show/table.ts'
import { day } from '../show/time.ts'

type Condition = VirtualTag['when'][string]

const valuesText = (values: string | readonly string[] | null): string => {
  if (values === null) return 'nothing'
  return typeof values === 'string' ? values : values.join(' or ')
}

const conditionText = (field: string, condition: Condition): string => {
  const negated = condition !== null && typeof condition === 'object' && 'not' in condition
  return negated
    ? `${field} is not ${valuesText(condition.not)}`
    : `${field} is ${valuesText(condition as string | readonly string[] | null)}`
}

const whenText = ({ when }: VirtualTag): string =>
  Object.entries(when)
    .map(([field, condition]) => conditionText(field, condition))
    .join(' and ') || 'always'

const setText = ({ set }: VirtualTag): string =>
  Object.entries(set)
    .map(([field, source]) => `${field} = ${typeof source === 'string' ? source : `its ${source.from}`}`)
    .join(', ')

type Numbered = Readonly<{ rule: VirtualTag; number: number }>

const columns = (rules: readonly VirtualTag[]): readonly Column<Numbered>[] => [
  { head: '#', cell: ({ number }) => String(number), align: 'right' },
  ...(rules.some(({ name }) => name !== undefined)
    ? [{ head: 'name', cell: ({ rule }: Numbered) => rule.name ?? nothing, shrink: 8 } satisfies Column<Numbered>]
    : []),
  { head: 'when', cell: ({ rule }) => whenText(rule), shrink: 16 },
  { head: 'set', cell: ({ rule }) => setText(rule), shrink: 12 },
]

/** Rules in their order. */
export const tagTable = (rules: readonly VirtualTag[], look: Look): string =>
  table(
    rules.map((rule, at) => ({ rule, number: at + 1 })),
    columns(rules),
    look,
    { indent: 2 },
  )

/** The rules in force. */
export const renderTags = (set: RuleSet | undefined, look: Look): string => {
  const colours = paint(look)
  const rules = set === undefined ? [] : (JSON.parse(set.rules) as readonly VirtualTag[])
  if (set === undefined || rules.length === 0) {
    const why = set === undefined ? '' : ` (version ${set.version} took them away on ${day(set.set_at_us)})`
    return `No virtual tags${why}: calls are charged to whom they name. Write rules in a file and: weir tags set FILE`
  }
  const head = `${colours.title('Virtual tags')} ${colours.dim(`version ${set.version} · since ${day(set.set_at_us)} · the first that holds sets a field`)}`
  return `${head}\n\n${tagTable(rules, look)}`
}

/** Every version of a list of rules, the newest first. */
export const renderHistory = (sets: readonly RuleSet[], look: Look): string => {
  if (sets.length === 0) return 'No rules were ever set.'
  const count = ({ rules }: RuleSet): number => {
    const found = JSON.parse(rules) as readonly unknown[] | Readonly<{ splits: readonly unknown[] }>
    return 'splits' in found ? found.splits.length : found.length
  }
  return table(
    sets.toReversed(),
    [
      { head: 'version', cell: ({ version }) => String(version), align: 'right' },
      { head: 'set on', cell: ({ set_at_us }) => day(set_at_us) },
      { head: 'rules', cell: (set) => plural(count(set), 'rule') },
    ],
    look,
  )
}
