import type { Delivery } from '../../core/alert.ts'
import type { Destination } from '../../core/channel.ts'
import type { AlertStore } from '../../core/store.ts'
import type { Log } from '../log.ts'
import { tell } from './tell.ts'

export type OutboxOptions = Readonly<{
  store: AlertStore
  destinations: readonly Destination[]
  now_us: () => number
  random: () => number
  log: Log
}>

export type Outbox = Readonly<{
  /** Something waits: look now. */
  kick(): void
  /** Looks once and waits until what is due has been tried. */
  flush(): Promise<void>
  stop(): Promise<void>
}>

const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 300_000
/** Longest that a far side may ask us to wait. */
const LONGEST_ASKED_MS = 3_600_000
/** What nobody has taken for a week is given up, and stays visible as refused. */
const GIVE_UP_US = 7 * 86_400_000_000
const LOOK_EVERY_MS = 30_000
const AT_ONCE = 500

/** How long to wait after so many failed attempts: twice as long each time, by chance half to one and a half of it. */
export const waitAfter_ms = (attempts: number, chance: number, asked_ms = 0): number => {
  const wait_ms = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, attempts - 1)) * (0.5 + chance)
  return Math.round(Math.max(wait_ms, Math.min(asked_ms, LONGEST_ASKED_MS)))
}

const ended = (delivery: Delivery, state: 'delivered' | 'refused', answer: string, at_us: number): Delivery => ({
  ...delivery,
  state,
  answer,
  ended_us: at_us,
})

/** One attempt; gives the delivery as it is then. */
const attempt = async (delivery: Delivery, to: Destination, options: OutboxOptions): Promise<Delivery> => {
  const { now_us, random } = options
  const { id, event, alert } = delivery
  const { state, answer, wait_ms } = await tell({ id, event, alert, at_us: now_us() }, to, options.destinations)
  const tried = { ...delivery, attempts: delivery.attempts + 1 }
  if (state !== 'again') return ended(tried, state, answer, now_us())
  if (now_us() - delivery.created_us > GIVE_UP_US) return ended(tried, 'refused', `given up: ${answer}`, now_us())
  const next_us = now_us() + waitAfter_ms(tried.attempts, random(), wait_ms) * 1000
  return { ...tried, next_us, answer }
}

const say = (log: Log, { state, channel, alert_id, attempts }: Delivery): void => {
  const facts = { channel, alert: alert_id, attempts }
  if (state === 'delivered') log.event('an alert was delivered', facts)
  else if (state === 'refused') log.trouble('a channel refused an alert', facts)
  else log.trouble('an alert could not be delivered; it is tried again', facts)
}

/** Deliveries of one channel, those that were tried last at the end. */
const byChannel = (deliveries: readonly Delivery[]) =>
  Map.groupBy(
    [...deliveries].sort((one, other) => one.next_us - other.next_us || one.created_us - other.created_us),
    ({ channel }) => channel,
  )

/** An alert's end must not overtake its beginning. */
const isFirst = (delivery: Delivery, waiting: readonly Delivery[]): boolean =>
  !waiting.some(
    ({ alert_id, id, created_us }) =>
      alert_id === delivery.alert_id && id !== delivery.id && created_us < delivery.created_us,
  )

/**
 * Tells channels what waits in the store: one at a time each, all channels side by side. A channel that does not answer is
 * left alone for a while, longer each time. Nothing leaves the store before its channel has it, so neither a channel that is
 * down nor a process that is killed loses an alert; one killed between the answer and the note of it tells again, under the same id.
 */
export const startOutbox = (options: OutboxOptions): Outbox => {
  const { store, destinations, now_us, log } = options
  const paused = new Map<string, number>()
  let last: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  const tellOne = async (delivery: Delivery): Promise<boolean> => {
    const to = destinations.find(({ name }) => name === delivery.channel)
    const now = to
      ? await attempt(delivery, to, options)
      : ended(delivery, 'refused', 'weir.yaml names no such channel any more', now_us())
    await store.deliveries.update(now)
    say(log, now)
    if (now.state === 'waiting') paused.set(now.channel, now.next_us)
    return now.state !== 'waiting'
  }
  const isPaused = (channel: string): boolean => stopped || (paused.get(channel) ?? 0) > now_us()
  const tellChannel = async (channel: string, waiting: readonly Delivery[]): Promise<void> => {
    const done = new Set<string>()
    for (const delivery of waiting) {
      if (isPaused(channel)) return
      const left = waiting.filter(({ id }) => !done.has(id))
      if (delivery.next_us <= now_us() && isFirst(delivery, left) && (await tellOne(delivery))) done.add(delivery.id)
    }
  }
  const pass = async (): Promise<void> => {
    const waiting = await store.deliveries.waiting(AT_ONCE)
    await Promise.all([...byChannel(waiting)].map(([name, some]) => tellChannel(name, some)))
    const rest = await store.deliveries.waiting(AT_ONCE)
    const next_us = Math.min(...rest.map((one) => Math.max(one.next_us, paused.get(one.channel) ?? 0)))
    plan(Number.isFinite(next_us) ? (next_us - now_us()) / 1000 : LOOK_EVERY_MS)
  }
  const run = (): Promise<void> => {
    last = last.then(pass).catch(() => plan(LOOK_EVERY_MS))
    return last
  }
  const plan = (after_ms: number): void => {
    clearTimeout(timer)
    if (stopped) return
    timer = setTimeout(run, Math.min(LOOK_EVERY_MS, Math.max(1, Math.ceil(after_ms))))
    timer.unref()
  }
  plan(0)
  return {
    kick: () => plan(0),
    flush: run,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await last
    },
  }
}
