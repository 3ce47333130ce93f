import type { SplitRule } from '../../playbook/allocate/split/reallocate.ts'
import type { Splits } from '../../playbook/allocate/statement/splits.ts'
import type { SplitSets } from '../../verbs/splits-list.ts'
import { type Look, paint } from '../show/look.ts'
import { type Column, table } from '../show/table.ts'
import { day } from '../show/time.ts'

const amongText = (rule: SplitRule): string => {
  if (rule.by === 'percent')
    return Object.entries(rule.percent)
      .map(([owner, share]) => `${owner} ${share} %`)
      .join(', ')
  return 'to' in rule && rule.to !== undefined ? rule.to.join(', ') : 'every other owner'
}

const columns: readonly Column<SplitRule>[] = [
  { head: 'cost of', cell: ({ from }) => from, shrink: 10 },
  {
    head: 'split',
    cell: (rule) => (rule.by === 'usage' ? `by ${rule.metric}` : rule.by === 'even' ? 'evenly' : `by ${rule.by}`),
  },
  { head: 'among', cell: amongText, shrink: 16 },
]

/** Splits as a table. */
export const splitTable = ({ rules }: Splits, look: Look): string => table(rules, columns, look, { indent: 2 })

/** The splits in force. */
export const renderSplits = ({ version, set_at_us, dimension, splits }: SplitSets, look: Look): string => {
  if (set_at_us === undefined || splits.length === 0)
    return 'No shared costs are split: each owner bears what its calls cost. Write splits in a file and: weir splits set FILE'
  const colours = paint(look)
  const head = `${colours.title('Shared costs')} ${colours.dim(`version ${version} · since ${day(set_at_us)} · among ${dimension}s`)}`
  return `${head}\n\n${splitTable({ dimension, rules: splits }, look)}`
}
