import { instant_us } from '../../playbook/price/local-time.ts'

/** Something that holds from a moment to another, under conditions that `key` names. */
type Dated = Readonly<{ from?: string | undefined; to?: string | undefined }>

export const from_us = (one: Dated): number =>
  one.from === undefined ? Number.NEGATIVE_INFINITY : instant_us(one.from)
export const to_us = (one: Dated): number => (one.to === undefined ? Number.POSITIVE_INFINITY : instant_us(one.to))

export const overlap = (a: Dated, b: Dated): boolean => from_us(a) < to_us(b) && from_us(b) < to_us(a)

/**
 * Ends each row where the next one of the same conditions begins, so that a new rate is appended and no old line is
 * touched. An end that a row states itself stays when it comes earlier.
 */
export const closeDates = <Row extends Dated>(rows: readonly Row[], key: (row: Row) => string): Row[] => {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(key(row))
    if (group) group.push(row)
    else groups.set(key(row), [row])
  }
  const next = new Map<Row, Row>()
  for (const group of groups.values()) {
    const inOrder = [...group].sort((a, b) => Math.sign(from_us(a) - from_us(b)) || 0)
    inOrder.forEach((row, index) => {
      const follower = inOrder[index + 1]
      if (follower && from_us(follower) > from_us(row)) next.set(row, follower)
    })
  }
  return rows.map((row) => {
    const to = next.get(row)?.from
    return to !== undefined && (row.to === undefined || instant_us(to) < instant_us(row.to)) ? { ...row, to } : row
  })
}
