import type { TokenKind } from '../../../core/bill.ts'

export const allKinds: readonly TokenKind[] = ['input', 'cache_read', 'cache_write', 'cache_write_1h', 'output']

/** The kind of a ledger's meter as a bill would count it; `fee` for what is billed by the piece. */
export const kindOf = (meter: string): TokenKind | 'fee' => {
  if (meter.startsWith('out.')) return 'output'
  const name = /^in\.\w+\.(\w+)$/.exec(meter)?.[1]
  switch (name) {
    case undefined:
      return 'fee'
    case 'cache_read':
    case 'cache_write_1h':
      return name
    case 'cache_write':
    case 'cache_write_5m':
      return 'cache_write'
    default:
      return 'input'
  }
}

/** Kinds that are compared as one, in the order of `allKinds`. */
export type KindGroup = readonly TokenKind[]

/**
 * The finest groups in which both sides can be compared: kinds that some line counts together are one group. A kind that no
 * line names is a group of its own.
 */
export const groupKinds = (counted: Iterable<KindGroup>): readonly KindGroup[] => {
  const group = new Map<TokenKind, TokenKind>(allKinds.map((kind) => [kind, kind]))
  const top = (kind: TokenKind): TokenKind => {
    const above = group.get(kind) ?? kind
    return above === kind ? kind : top(above)
  }
  for (const kinds of counted) {
    const [first, ...others] = kinds
    if (first === undefined) continue
    for (const other of others) group.set(top(other), top(first))
  }
  const found = new Map<TokenKind, TokenKind[]>()
  for (const kind of allKinds) found.set(top(kind), [...(found.get(top(kind)) ?? []), kind])
  return [...found.values()]
}

export const within = (inner: KindGroup, outer: KindGroup): boolean => inner.every((kind) => outer.includes(kind))
