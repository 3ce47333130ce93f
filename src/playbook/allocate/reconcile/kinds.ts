import { type Kind, type PieceKind, pieceKinds, tokenKinds } from '../../../core/bill.ts'

/** Meters of the ledger that some bill counts by the piece. */
const pieceMeters: Readonly<Record<string, PieceKind>> = {
  'image.generated': 'image',
  'audio_in.second': 'second',
  'tts.char': 'character',
}

/** The kind of a ledger's meter as a bill would count it; `fee` for what no bill counts. */
export const kindOf = (meter: string): Kind | 'fee' => {
  const piece = pieceMeters[meter]
  if (piece !== undefined) return piece
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

const countedKinds: readonly Kind[] = [...tokenKinds, ...pieceKinds]

/** Kinds that are compared as one, in the order of `countedKinds`. */
export type KindGroup = readonly Kind[]

export const isPiece = (kind: Kind | 'fee'): kind is PieceKind => pieceKinds.some((piece) => piece === kind)

/** Is this group one of pieces? Groups are of tokens or of pieces, never of both. */
export const arePieces = (kinds: KindGroup): boolean => kinds.some(isPiece)

/**
 * The finest groups in which both sides can be compared: kinds that some line counts together are one group. A kind of
 * tokens that no line names is a group of its own.
 */
export const groupKinds = (counted: Iterable<KindGroup>): readonly KindGroup[] => {
  const group = new Map<Kind, Kind>(countedKinds.map((kind) => [kind, kind]))
  const top = (kind: Kind): Kind => {
    const above = group.get(kind) ?? kind
    return above === kind ? kind : top(above)
  }
  const named = new Set<Kind>(tokenKinds)
  for (const kinds of counted) {
    for (const kind of kinds) named.add(kind)
    const [first, ...others] = kinds
    if (first === undefined) continue
    for (const other of others) group.set(top(other), top(first))
  }
  const found = new Map<Kind, Kind[]>()
  for (const kind of countedKinds) if (named.has(kind)) found.set(top(kind), [...(found.get(top(kind)) ?? []), kind])
  return [...found.values()]
}

export const within = (inner: KindGroup, outer: KindGroup): boolean => inner.every((kind) => outer.includes(kind))
