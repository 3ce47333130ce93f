import type { Containment } from '../core/alert.ts'
import { MINUTE_US } from '../core/date.ts'
import { WeirError } from '../core/errors.ts'
import type { Receipt } from '../core/receipt.ts'
import { type Held, heldBy, holding, inForce } from '../playbook/allocate/alert/contain.ts'

/** Of a call: who pays, and when it began. */
type Paying = Readonly<{
  payer: Readonly<Pick<Receipt, 'session' | 'key_id' | 'team' | 'feature'>>
  started_at_us: number
}>

/** What holds sessions and keys that ran away. */
export type Restraint = Readonly<{
  /** Throws `forbidden` for a call of what is stopped, and `rate-limited` for one too many in this minute of what is slowed down. */
  check(call: Paying): void
  set(containments: readonly Containment[]): void
}>

const SLOTS = 4096

/** Memory for the counts of calls a minute, shared by all gateway threads: 16 KiB. */
export const restraintMemory = (): SharedArrayBuffer => new SharedArrayBuffer(SLOTS * 4)

const slotOf = (id: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % SLOTS
}

/** Counts a call in its minute, together with all threads; false when there were `most` already. A cell holds the minute and its count. */
const countCall = (cells: Int32Array, slot: number, minute: number, most: number): boolean => {
  const mark = (minute & 0x7fff) << 16
  for (;;) {
    const seen = Atomics.load(cells, slot)
    const count = (seen & 0x7fff0000) === mark ? seen & 0xffff : 0
    if (count >= most) return false
    if (Atomics.compareExchange(cells, slot, seen, mark | (count + 1)) === seen) return true
  }
}

const upTo = ({ until_us }: Containment): string =>
  until_us === undefined
    ? 'until somebody releases it'
    : `until ${new Date(until_us / 1000).toISOString().slice(0, 16)}Z`

const refusal = (held: Containment, at_us: number): WeirError => {
  const { what, action, id, calls_per_minute } = held
  const who = `Whoever keeps this gateway can let it go on with: weir alerts release ${id}`
  if (action === 'stop')
    return new WeirError('forbidden', `This ${what} ran away and is stopped ${upTo(held)} (alert ${id}). ${who}`)
  const left_s = Math.ceil((MINUTE_US - (at_us % MINUTE_US)) / 1e6)
  const message = `This ${what} ran away and may send ${calls_per_minute} calls a minute ${upTo(held)} (alert ${id}). ${who}`
  return new WeirError('rate-limited', message, { retry_after_s: left_s })
}

/** Holds what the main thread has said last. The counts lie in `memory`, so that all threads together keep to a limit. */
export const createRestraint = (memory: SharedArrayBuffer): Restraint => {
  const cells = new Int32Array(memory)
  let all: readonly Containment[] = []
  let held: Held = heldBy(all)
  return {
    check({ payer, started_at_us }) {
      if (all.length === 0) return
      const at = holding(held, payer)
      const found = at === undefined ? undefined : all[at]
      if (!found || !inForce(found, started_at_us)) return
      const { action, calls_per_minute = 0, id } = found
      const minute = Math.floor(started_at_us / MINUTE_US)
      if (action === 'throttle' && countCall(cells, slotOf(id), minute, Math.min(0xffff, calls_per_minute))) return
      throw refusal(found, started_at_us)
    },
    set(containments) {
      all = containments
      held = heldBy(containments)
    },
  }
}
