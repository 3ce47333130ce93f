import type { Ledger } from '../core/ledger.ts'
import type { Store } from '../core/store.ts'
import { reachBudgets } from '../gateway/budgets/reach.ts'
import { reachLedger } from '../gateway/reach.ts'
import { askUnitCost } from '../playbook/allocate/unit-cost/ask.ts'
import { deriveKey, masterSecret } from '../stores/sealing.ts'
import { rulesIn, tagged } from './allocation/in-force.ts'
import { hasStore, needData, needLedger } from './data.ts'
import { statementsIn } from './statement/gather.ts'
import type { Context } from './verb.ts'

/** What the world gives to a context. */
export type Surroundings = Pick<Context, 'data' | 'now_us' | 'random' | 'variable' | 'field' | 'settings'>

/** Where receipts and all else that lasts are reached. */
export type Doors = Readonly<{
  ledger(): Promise<Pick<Ledger, 'query'>>
  store: Context['store']
}>

/** Keys derived from the master secret: WEIR_SECRET, or the one of the data folder, made on first use. */
export const secretOf =
  ({ data, random, variable }: Surroundings): Context['secret'] =>
  (purpose) =>
    deriveKey(masterSecret({ data, given: variable('WEIR_SECRET'), random }), purpose)

export const contextOf = (around: Surroundings, { ledger: asked, store }: Doors): Context => {
  const rules: Context['rules'] = async () => rulesIn(await store())
  const ledger: Context['ledger'] = async () => tagged(await asked(), await rules())
  return {
    ...around,
    ledger,
    store,
    statements: async (question) => statementsIn(await ledger(), await store(), question, around.field('zone')),
    unitCosts: async (question) => {
      const { outcomes } = await store()
      return askUnitCost(await ledger(), {
        ...question,
        rules: await rules(),
        outcomes: (window) => outcomes.list(window),
      })
    },
    rules,
    budgets: async () => {
      const settings = await around.settings()
      // Those of weir.yaml stand before anything is spent.
      if (settings.budgets.length === 0) needData(around.data)
      return reachBudgets(settings, { now_us: around.now_us, ledger: asked })
    },
    secret: secretOf(around),
  }
}

/** Opens once, when it is first asked for; what failed to open is tried again. */
export const once = <T>(open: () => Promise<T>) => {
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

/** Reaches the ledger for `role`, e.g. `weir report`. Throws WeirError `not-found` where there is none yet. */
export const ledgerAt = async (
  data: string,
  options: Readonly<{ now_us: () => number; role: string; memory_limit?: string }>,
): Promise<Ledger> => {
  needLedger(data)
  return reachLedger(data, options)
}

/** The store of a data folder, made where there is none. */
export const storeAt = async (data: string): Promise<Store> => (await import('../stores/sqlite.ts')).open({ data })

/** The store of a data folder for who only reads: without a store an empty one, without anything `not-found`. */
export const storeIn = async (data: string): Promise<Store> => {
  if (hasStore(data)) return storeAt(data)
  needData(data)
  return (await import('../stores/sqlite.ts')).openEmpty()
}

/** A context, and the end of all that it opened. */
export type Opened = Readonly<{ context: Context; close(): Promise<void> }>

/**
 * A context over a data folder for one piece of work. Ledger and store are opened when they are first needed, the ledger
 * through the gateway that runs or without it. `role` says who asks to others who wait for it.
 */
export const openContext = (around: Surroundings, role: string): Opened => {
  const { data, now_us } = around
  const ledger = once(() => ledgerAt(data, { now_us, role }))
  const kept = once(() => storeAt(data))
  const empty = once(() => storeIn(data))
  const store: Context['store'] = (how) => (how?.make || hasStore(data) ? kept.get() : empty.get())
  return {
    context: contextOf(around, { ledger: ledger.get, store }),
    async close() {
      for (const opened of [ledger, kept, empty]) await (await opened.ifOpen()?.catch(() => undefined))?.close()
    },
  }
}
