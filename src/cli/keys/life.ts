import type { KeyState } from '../../verbs/keys/shown.ts'
import type { Column } from '../show/table.ts'
import { day, moment } from '../show/time.ts'

/** What keys and console tokens have alike: whether they are in force, since when and until when. */
type Living = Readonly<{ state: KeyState; created_at_us: number; expires_at_us?: number }>

/** What holds for hours ends at an hour: its day alone would say nothing. */
const SHORT_US = 2 * 86_400_000_000

const endText = ({ created_at_us, expires_at_us: at }: Living): string => {
  if (at === undefined) return 'never'
  return at - created_at_us < SHORT_US ? `${moment(at).slice(0, 'YYYY-MM-DD HH:MM'.length)} UTC` : day(at)
}

export const stateColumn: Column<Living> = {
  head: 'state',
  cell: ({ state }) => state,
  style: (text, { state }, colours) => (state === 'active' ? colours.green(text) : colours.red(text)),
}

/** When it was made and when it ends; `drop` is how early the former may go where the terminal is narrow. */
export const lifeColumns = (drop: number): readonly Column<Living>[] => [
  { head: 'made', cell: ({ created_at_us: at }) => day(at), drop },
  { head: 'expires', cell: endText, drop: 1 },
]
