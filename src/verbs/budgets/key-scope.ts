import { EACH } from '../../core/budget.ts'
import { isGlob } from '../../core/glob.ts'
import type { Store } from '../../core/store.ts'
import { findKey } from '../keys/find.ts'

type Said = Readonly<{ scope?: unknown }>

/** The key that a scope names, where it names one. */
const keyIn = ({ scope }: Said): string | undefined => {
  const key = (scope as Readonly<Record<string, unknown>> | undefined | null)?.['key']
  return typeof key === 'string' && key !== EACH && !isGlob(key) ? key : undefined
}

/**
 * A budget whose scope names a key by its name, with the key's id in its place: that is what receipts carry, and it stays
 * when the key is renamed. What no key is called stays, and `unknown` says it. Throws WeirError `bad-input` where several have the name.
 */
export const withKeyId = async <T extends Said>(
  said: T,
  store: Store,
  now_us: number,
): Promise<Readonly<{ said: T; unknown?: string }>> => {
  const key = keyIn(said)
  if (key === undefined) return { said }
  const keys = await store.keys.list()
  if (keys.some(({ id }) => id === key)) return { said }
  if (!keys.some(({ name }) => name === key)) return { said, unknown: key }
  const { id } = await findKey(store, key, now_us)
  return { said: { ...said, scope: { ...(said.scope as object), key: id } } }
}
