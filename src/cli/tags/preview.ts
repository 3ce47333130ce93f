import { UNALLOCATED } from '../../playbook/allocate/statement/owners.ts'
import type { Moved, Preview } from '../../verbs/tags/preview.ts'
import { windowTitle } from '../asking.ts'
import { money, moneyColumn, percent, shareOf } from '../show/format.ts'
import { type Look, paint } from '../show/look.ts'
import { table } from '../show/table.ts'

/** What would move, owner by owner; the total cannot. */
export const renderPreview = ({ by, window, total_usd, owners }: Preview, look: Look): string => {
  const colours = paint(look)
  const cost = moneyColumn(owners.flatMap(({ now_usd, then_usd }) => [now_usd, then_usd]))
  const nobody = owners.find(({ owner }) => owner === UNALLOCATED)
  const share = (text: string | undefined) => percent(shareOf(text ?? '0', total_usd) ?? 0)
  const moved = ({ moved_usd }: Moved) =>
    moved_usd === '0' ? '=' : `${moved_usd.startsWith('-') ? '' : '+'}${money(moved_usd)}`
  const lines = table(
    owners,
    [
      { head: by, cell: ({ owner }) => owner, shrink: 10 },
      { head: 'now', cell: ({ now_usd }) => cost(now_usd), align: 'right' },
      { head: 'with the file', cell: ({ then_usd }) => cost(then_usd), align: 'right' },
      { head: 'moved', cell: moved, align: 'right' },
    ],
    look,
    { indent: 2 },
  )
  return [
    `${colours.title('Preview')} ${colours.dim(windowTitle(window))}`,
    `  Unallocated ${share(nobody?.now_usd)} now, ${share(nobody?.then_usd)} with the file, of ${money(total_usd)} either way.`,
    lines,
  ].join('\n\n')
}
