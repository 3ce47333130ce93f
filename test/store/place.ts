import { afterEach, beforeEach } from 'vitest'
import type { Store } from '../../src/core/store.ts'

/** Makes a fresh, empty place and gives a function that opens it, any number of times. */
export type Place = () => Promise<Readonly<{ open(): Promise<Store>; clear(): Promise<void> }>>

type Opened = { here: Awaited<ReturnType<Place>>; store: Store }

/** A fresh place, and a store that is open in it, for each test of the suite that calls this. */
export const openBeforeEach = (place: Place): Opened => {
  const at = {} as Opened
  beforeEach(async () => {
    at.here = await place()
    at.store = await at.here.open()
  })
  afterEach(async () => {
    await at.store.close()
    await at.here.clear()
  })
  return at
}
