import type { AnswerRow, AnswerStats } from '../../stores/answers.ts'
import { bytes, clean, count, duration } from '../show/format.ts'
import type { Look } from '../show/look.ts'
import { facts, table } from '../show/table.ts'

const away = (from_us: number, to_us: number): string => duration(Math.max(0, to_us - from_us) / 1000)

/** Stored answers as a table. */
export const renderAnswers = (rows: readonly AnswerRow[], at_us: number, look: Look): string =>
  rows.length === 0
    ? 'No answers are stored. The lever cache/exact stores them: levers: { cache/exact: on } in weir.yaml.'
    : table(
        rows,
        [
          { head: 'stored', cell: ({ stored_at_us }) => `${away(stored_at_us, at_us)} ago` },
          { head: 'for', cell: ({ expires_at_us }) => away(at_us, expires_at_us) },
          { head: 'size', cell: ({ size_bytes }) => bytes(size_bytes), align: 'right' },
          { head: 'lever', cell: ({ lever }) => lever },
          { head: 'tags', cell: ({ tags }) => clean(tags.join(', ')) },
          { head: 'receipt', cell: ({ receipt_id }) => receipt_id },
        ],
        look,
      )

export const renderStats = (stats: AnswerStats, look: Look): string =>
  facts(
    [
      ['answers', count(stats.answers)],
      ['size', bytes(stats.bytes)],
      ['over their time', stats.expired > 0 ? count(stats.expired) : undefined],
      ['partitions', count(stats.partitions)],
    ],
    look,
  )
