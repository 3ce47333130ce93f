import type { Receipt } from '../../../core/receipt.ts'

/** Who is accountable for a call: its team, else its feature, else its key; nobody is `unallocated`. */
export const ownerOf = ({ team, feature, key_id }: Pick<Receipt, 'team' | 'feature' | 'key_id'>): string => {
  if (team !== undefined) return `team:${team}`
  if (feature !== undefined) return `feature:${feature}`
  return key_id === undefined ? 'unallocated' : `key:${key_id}`
}

/** Who is watched for a call, the accountable one first. */
export const ownersOf = (payer: Pick<Receipt, 'team' | 'feature' | 'key_id'>): readonly string[] => [
  ownerOf(payer),
  'organisation',
]
