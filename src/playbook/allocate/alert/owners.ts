import type { Receipt } from '../../../core/receipt.ts'
import { reader } from '../budget/counter.ts'
import type { Alike } from '../detect/strand.ts'
import { scopeOwner } from './budgets.ts'

/** Who is accountable for a call: its team, else its feature, else its key; nobody is `unallocated`. */
export const ownerOf = ({ team, feature, key_id }: Pick<Receipt, 'team' | 'feature' | 'key_id'>): string => {
  if (team !== undefined) return `team:${team}`
  if (feature !== undefined) return `feature:${feature}`
  return key_id === undefined ? 'unallocated' : `key:${key_id}`
}

/** The scopes of budgets that calls are told apart by: each a list of dimensions. */
export type ScopeShapes = readonly (readonly string[])[]

/**
 * Who is watched for a call: the accountable one, then those whose budget it counts against (`known`, by the scopes' shapes),
 * then the organisation.
 */
export const ownersOf = (
  receipt: Alike,
  shapes: ScopeShapes = [],
  known: Readonly<{ has(owner: string): boolean }> = new Set(),
): readonly string[] => {
  const first = ownerOf(receipt)
  if (shapes.length === 0) return first === 'organisation' ? [first] : [first, 'organisation']
  const owners = new Set([first])
  for (const shape of shapes) {
    const scope: Record<string, string> = {}
    for (const dimension of shape) {
      const value = reader(dimension)(receipt)
      if (value !== undefined) scope[dimension] = value
    }
    if (Object.keys(scope).length < shape.length) continue
    const owner = scopeOwner(scope)
    if (known.has(owner)) owners.add(owner)
  }
  owners.delete('organisation')
  return [...owners, 'organisation']
}
