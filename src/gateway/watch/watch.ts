import { type Alert, type Containment, isFound } from '../../core/alert.ts'
import { DAY_US } from '../../core/date.ts'
import { WeirError } from '../../core/errors.ts'
import type { Settings } from '../../core/settings.ts'
import type { Store } from '../../core/store.ts'
import { inForce } from '../../playbook/allocate/alert/contain.ts'
import { goingOn, resolved } from '../../playbook/allocate/alert/make.ts'
import { answer, spendTrend } from '../../playbook/allocate/detect/detect.ts'
import { takeStanding } from '../../playbook/allocate/detect/gate.ts'
import type { DetectSettings } from '../../playbook/allocate/detect/settings.ts'
import type { Log } from '../log.ts'
import type { Prices } from '../prices.ts'
import type { BudgetWatch } from './budget-watch.ts'
import { detectSettings } from './detect-settings.ts'
import { finder } from './find.ts'
import { loadMemory, type Memory, saveMemory } from './memory.ts'
import { startOutbox } from './outbox.ts'
import type { WatchQueue } from './queue.ts'
import { type Found, type RecordOptions, recordFinding, recordResolved } from './record.ts'
import { segmentReader } from './segment-receipts.ts'

export type WatchOptions = Readonly<{
  settings: Settings
  store: Store
  queue: WatchQueue
  prices: Prices
  now_us: () => number
  random: () => number
  log: Log
  budgets?: BudgetWatch
  /** Tells the gateway threads what is contained now. */
  contain: (containments: readonly Containment[]) => Promise<unknown>
}>

export type Watch = Readonly<{
  /** Something waits in the queue: look soon. */
  notice(): void
  /** Watches everything that is in the queue, and tells what it finds. Resolves when that is written; it may not be delivered yet. */
  catchUp(): Promise<void>
  /** Open alerts, and deliveries by state, for metrics. */
  counts(): Promise<Readonly<Record<string, number>>>
  close(): Promise<void>
}>

const LOOK_EVERY_MS = 500
const TEND_EVERY_US = 5_000_000
const SAVE_EVERY_US = 15_000_000
/** Trouble that has not been seen for so long is over. */
const OVER_AFTER_US = 6 * 3_600_000_000

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Watches the queue: each segment once, findings into the store, and the memory with the position now and then. */
const queueWatcher = (options: WatchOptions, memory: Memory, record: RecordOptions, settings: DetectSettings) => {
  const { queue, store, now_us } = options
  const { find, flush, read } = finder(options, memory, settings)
  const readSegment = segmentReader()
  /** Findings that the store has not taken yet. */
  const owed: Found[] = []
  let saved_at_us = now_us()
  let saved_position = memory.position
  let save_took_us = 0

  const write = async (): Promise<boolean> => {
    let told = false
    for (let found = owed[0]; found; found = owed[0]) {
      told = (await recordFinding(found, record)) || told
      owed.shift()
    }
    return told
  }
  return {
    async save(): Promise<void> {
      const begun_us = now_us()
      const { position } = memory
      await saveMemory(store.alerts, memory)
      queue.drop(position)
      saved_position = position
      saved_at_us = now_us()
      save_took_us = saved_at_us - begun_us
    },
    /** Saving a large memory may take one percent of the time. */
    isDue: (): boolean =>
      memory.position > saved_position && now_us() - saved_at_us > Math.max(SAVE_EVERY_US, 100 * save_took_us),
    /** Takes in the rules in force for who pays. */
    retag: read,
    async watch(): Promise<boolean> {
      let told = await write()
      for (const { position, path } of queue.after(memory.position)) {
        const pieces = readSegment(path, (strand, one) => {
          const found = find(strand, one)
          if (found.length > 0) owed.push(...found)
        })
        for (const _ of pieces) {
          owed.push(...flush())
          await breath()
        }
        memory.position = position
        told = (await write()) || told
      }
      return told
    },
  }
}

/** Hears what people say of alerts: thresholds change, and what is no trouble is over. */
const hear = async ({ store, now_us }: WatchOptions, memory: Memory, record: RecordOptions): Promise<boolean> => {
  const judged = await store.alerts.judgedSince(memory.judged_us)
  for (const alert of judged) {
    const { opinion, kind, owner } = alert
    if (!opinion) continue
    if (isFound(kind)) answer(memory.detection, { owner, kind }, opinion.verdict, opinion.until_us)
    if (opinion.verdict !== 'yes' && alert.state === 'open') await recordResolved(resolved(alert, now_us()), record)
    memory.judged_us = opinion.at_us
  }
  return judged.length > 0
}

/** Keeps open alerts at what their trouble has come to, and ends those whose trouble has not been seen for a while. */
const tendOpen = async (
  { store, now_us }: WatchOptions,
  { detection }: Memory,
  record: RecordOptions,
  settings: DetectSettings,
): Promise<boolean> => {
  const kept: Alert[] = []
  let any = false
  for (const alert of await store.alerts.list({ state: 'open' })) {
    if (!isFound(alert.kind)) continue
    const { seen_us = 0, latest } = takeStanding(detection.gate, alert.incident) ?? {}
    const isNew = latest !== undefined && latest.at_us > alert.last_us
    const now = isNew ? goingOn(alert, latest, spendTrend(detection, alert.owner)) : alert
    const last_us = Math.max(now.last_us, seen_us)
    if (now_us() - last_us > Math.min(OVER_AFTER_US, settings.cooldowns_us[alert.kind])) {
      await recordResolved(resolved({ ...now, last_us }, now_us()), record)
      any = true
    } else if (isNew) kept.push(now)
  }
  if (kept.length > 0) await store.alerts.record(kept, [])
  return any
}

/** Forgets once a day what is over for longer than the settings keep it. */
const pruner = ({ store, settings, now_us }: WatchOptions) => {
  const { keep_days, keep_deliveries_days } = settings.alerts
  let pruned_us = 0
  return async (): Promise<void> => {
    const at_us = now_us()
    if (at_us - pruned_us < DAY_US) return
    await store.alerts.prune(at_us - keep_days * DAY_US, at_us - keep_deliveries_days * DAY_US)
    pruned_us = at_us
  }
}

/** Tells the threads what is contained, when that has changed. */
const container = ({ store, contain, now_us }: WatchOptions, told: readonly Containment[]) => {
  let last = JSON.stringify(told)
  let known: readonly Containment[] = told
  return {
    /** Asks the store. */
    async read(): Promise<void> {
      known = await store.alerts.containments.list(now_us())
    },
    async tell(): Promise<void> {
      const now = known.filter((one) => inForce(one, now_us()))
      const text = JSON.stringify(now)
      if (text === last) return
      await contain(now)
      last = text
    },
  }
}

type Inside = Readonly<{
  options: WatchOptions
  memory: Memory
  record: RecordOptions
  settings: DetectSettings
}>

/** Everything that is looked at, in order: receipts, what people did, containments, and now and then budgets and ends. */
const looker = (inside: Inside, told: readonly Containment[]) => {
  const { options, memory, record, settings } = inside
  const { store, budgets, now_us } = options
  const segments = queueWatcher(options, memory, record, settings)
  const containing = container(options, told)
  const prune = pruner(options)
  let revision: number | undefined
  let tended_us = 0

  const tend = async (): Promise<boolean> => {
    tended_us = now_us()
    await prune()
    const spent = (await budgets?.look(memory.detection).catch(() => false)) ?? false
    return (await tendOpen(options, memory, record, settings)) || spent
  }
  return {
    save: segments.save,
    async look(): Promise<boolean> {
      const changed = await store.revision()
      if (changed !== revision) await segments.retag()
      const found = await segments.watch()
      const heard = changed !== revision && (await hear(options, memory, record))
      if (found || changed !== revision) await containing.read()
      await containing.tell()
      revision = changed
      const tended = now_us() - tended_us >= TEND_EVERY_US && (await tend())
      if (heard || segments.isDue()) await segments.save()
      return found || heard || tended
    },
  }
}

/**
 * The watch over receipts: detectors that are fed each once, alerts in the store, deliveries on their way, containments in the
 * threads. What it knows is saved with how far it has come, so a restart forgets nothing; what it finds twice, because it was
 * killed in between, has the same id. `told` are the containments that the threads know of already.
 */
export const startWatch = async (options: WatchOptions, told: readonly Containment[] = []): Promise<Watch> => {
  const { settings, store, now_us, random, log } = options
  const memory = await loadMemory(store.alerts)
  // Whoever removes the queue's folder begins it anew.
  memory.position = Math.min(memory.position, options.queue.last())
  const record: RecordOptions = { store: store.alerts, keys: store.keys, settings, now_us }
  const outbox = startOutbox({ store: store.alerts, destinations: settings.channels, now_us, random, log })
  const { look, save } = looker({ options, memory, record, settings: detectSettings(settings.alerts) }, told)
  let last: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let failed = false

  const once = async (): Promise<void> => {
    try {
      if (await look()) outbox.kick()
      failed = false
    } catch (error) {
      if (!failed)
        log.trouble('the watch over receipts could not go on; it tries again', {
          error: error instanceof WeirError ? error.message : (error as Error).name,
        })
      failed = true
    }
  }
  const run = (): Promise<void> => {
    last = last.then(once).then(() => plan(LOOK_EVERY_MS))
    return last
  }
  const plan = (after_ms: number): void => {
    clearTimeout(timer)
    if (stopped) return
    timer = setTimeout(run, after_ms)
    timer.unref()
  }
  plan(1)
  return {
    notice: () => plan(1),
    catchUp: run,
    async counts() {
      const { waiting, refused } = await store.alerts.deliveries.counts()
      const open = await store.alerts.list({ state: 'open' })
      return {
        weir_alerts_open: open.length,
        weir_alert_deliveries_waiting: waiting,
        weir_alert_deliveries_refused: refused,
      }
    },
    async close() {
      await run()
      stopped = true
      clearTimeout(timer)
      await save().catch(() => {})
      await outbox.stop()
    },
  }
}
