import type { Ledger } from '../core/ledger.ts'

/** A share of the ledger for one request. */
export type Lease = Readonly<{ ledger(): Promise<Ledger>; release(): void }>

/** So long after the last request the ledger is let go, ms: where no gateway runs, commands wait for it. */
const LET_GO_MS = 300

/** One ledger for all requests that are under way, opened for the first and let go a moment after the last. */
export const sharedLedger = (open: () => Promise<Ledger>) => {
  let opened: Promise<Ledger> | undefined
  let holders = 0
  let timer: NodeJS.Timeout | undefined
  const letGo = async (): Promise<void> => {
    const last = opened
    opened = undefined
    await (await last?.catch(() => undefined))?.close()
  }
  return {
    lease(): Lease {
      let held = false
      return {
        ledger() {
          if (!held) holders += 1
          held = true
          clearTimeout(timer)
          opened ??= open().catch((error: unknown) => {
            opened = undefined
            throw error
          })
          return opened
        },
        release() {
          if (!held) return
          held = false
          holders -= 1
          if (holders === 0) timer = setTimeout(() => void letGo(), LET_GO_MS)
        },
      }
    },
    async close(): Promise<void> {
      clearTimeout(timer)
      await letGo()
    },
  }
}
