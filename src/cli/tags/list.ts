import type { VirtualTag } from '../../core/allocation.ts'
import type { TagSets } from '../../verbs/tags-list.ts'
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
export const renderTags = ({ version, set_at_us, rules }: TagSets, look: Look): string => {
  const colours = paint(look)
  if (set_at_us === undefined || rules.length === 0) {
    const why = set_at_us === undefined ? '' : ` (version ${version} took them away on ${day(set_at_us)})`
    return `No virtual tags${why}: calls are charged to whom they name. Write rules in a file and: weir tags set FILE`
  }
  const head = `${colours.title('Virtual tags')} ${colours.dim(`version ${version} · since ${day(set_at_us)} · the first that holds sets a field`)}`
  return `${head}\n\n${tagTable(rules, look)}`
}

/** A version of a list of rules, and how many it has. */
export type Dated = Readonly<{ version: number; set_at_us: number; rules: number }>

/** Every version of a list of rules, the newest first. */
export const renderHistory = (sets: readonly Dated[], look: Look): string =>
  sets.length === 0
    ? 'No rules were ever set.'
    : table(
        sets.toReversed(),
        [
          { head: 'version', cell: ({ version }) => String(version), align: 'right' },
          { head: 'set on', cell: ({ set_at_us }) => day(set_at_us) },
          { head: 'rules', cell: ({ rules }) => plural(rules, 'rule') },
        ],
        look,
      )
