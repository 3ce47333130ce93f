import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { WeirError } from '../core/errors.ts'
import type { Ledger } from '../core/ledger.ts'
import type { Store } from '../core/store.ts'
import { reachLedger } from '../gateway/reach.ts'
import { rulesOf } from '../playbook/allocate/statement/rules.ts'
import { deriveKey, masterSecret } from '../stores/sealing.ts'
import { rulesIn, tagged } from './allocation/in-force.ts'
import type { Context } from './verb.ts'

/** What the world gives to a context, and who asks, e.g. `weir report`, for the message to others who wait. */
export type Surroundings = Pick<Context, 'data' | 'now_us' | 'random' | 'variable' | 'field' | 'settings'> &
  Readonly<{ role: string }>

/** A context, and the end of all that it opened. */
export type Opened = Readonly<{ context: Context; close(): Promise<void> }>

/** Opens once, when it is first asked for; what failed to open is tried again. */
const once = <T>(open: () => Promise<T>) => {
  let opened: Promise<T> | undefined
  return {
    get: (): Promise<T> => {
      opened ??= open().catch((error: unknown) => {
        opened = undefined
        throw error
      })
      return opened
    },
    ifOpen: (): Promise<T> | undefined => opened,
  }
}

/** Reaches the ledger. Throws WeirError `not-found` where there is none yet. */
const ledgerAt = ({ data, now_us, role }: Surroundings): Promise<Ledger> => {
  if (existsSync(data)) return reachLedger(data, { now_us, role })
  throw new WeirError(
    'not-found',
    `there is no ledger in ${data} yet. Start the gateway (weir serve) and send a call through it, bring in what you ` +
      'have (weir import), or say where the ledger lies with --data',
  )
}

/**
 * A context over a data folder. Ledger and store are opened when they are first needed, the ledger through the gateway
 * that runs or without it; where there is no store, asking for the rules makes none.
 */
export const openContext = (around: Surroundings): Opened => {
  const { data, random, variable } = around
  const ledger = once(async () => ledgerAt(around))
  const store = once<Store>(async () => (await import('../stores/sqlite.ts')).open({ data }))
  const rules: Context['rules'] = async () =>
    store.ifOpen() !== undefined || existsSync(join(data, 'store.db')) ? rulesIn(await store.get()) : rulesOf([], [])
  const context: Context = {
    ...around,
    ledger: async () => tagged(await ledger.get(), await rules()),
    store: store.get,
    rules,
    secret: (purpose) => deriveKey(masterSecret({ data, given: variable('WEIR_SECRET'), random }), purpose),
  }
  return {
    context,
    async close() {
      await (await ledger.ifOpen()?.catch(() => undefined))?.close()
      await (await store.ifOpen()?.catch(() => undefined))?.close()
    },
  }
}
