import type { DatabaseSync } from 'node:sqlite'
import type { Answers, StoredAnswer } from '../../core/lever.ts'

type Flight = {
  readonly call_id: string
  readonly answer: Promise<StoredAnswer | undefined>
  end(answer?: StoredAnswer): void
}

/** Says no longer which calls still lead. */
type Closing = Readonly<{ stop(): void }>

export type FlightsOptions = Readonly<{
  now_us: () => number
  get: Answers['get']
  /** The shared file; absent where one thread is all there is. */
  use?: <T>(work: (database: DatabaseSync) => T, otherwise: T) => T
}>

/** A leader that does not say within this time that it still flies has died with its thread, or with the process. */
const LEASE_US = 5_000_000
const RENEW_MS = 1_000
const LOOK_MS = 25

const openFlight = (call_id: string): Flight => {
  let end: Flight['end'] = () => {}
  const answer = new Promise<StoredAnswer | undefined>((resolve) => {
    end = resolve
  })
  return { call_id, answer, end }
}

type Use = NonNullable<FlightsOptions['use']>

/** Says in the file that a call leads; false where another thread's call does. A file that cannot be used keeps nobody from leading. */
const claim = (use: Use, partition: string, key: string, call_id: string, now_us: number): boolean =>
  use((database) => {
    const { changes } = database
      .prepare(
        `insert into flights values (?, ?, ?, ?) on conflict do update
           set call_id = excluded.call_id, ends_at_us = excluded.ends_at_us where flights.ends_at_us <= ?`,
      )
      .run(partition, key, call_id, now_us + LEASE_US, now_us)
    return Number(changes) > 0
  }, true)

/** Says in the file that these calls still lead. */
const renew = (use: Use, call_ids: readonly string[], now_us: number): void =>
  use((database) => {
    database
      .prepare('update flights set ends_at_us = ? where call_id in (select value from json_each(?))')
      .run(now_us + LEASE_US, JSON.stringify(call_ids))
  }, undefined)

const isOver = (use: Use, partition: string, key: string, now_us: number): boolean =>
  use(
    (database) =>
      database
        .prepare('select 1 from flights where partition = ? and key = ? and ends_at_us > ?')
        .get(partition, key, now_us) === undefined,
    true,
  )

/**
 * Calls in flight, so that identical ones wait for the first. Within a thread they are told at once; another thread's leader
 * is seen in the file, which is looked at until it has ended.
 */
export const openFlights = ({ now_us, get, use }: FlightsOptions): Pick<Answers, 'join' | 'done'> & Closing => {
  const flights = new Map<string, Flight>()
  let renewing: NodeJS.Timeout | undefined
  const nameOf = (partition: string, key: string): string => `${partition}\u0000${key}`

  const follow = (file: Use, partition: string, key: string): Promise<StoredAnswer | undefined> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (isOver(file, partition, key, now_us())) resolve(get(partition, key))
        else setTimeout(look, LOOK_MS).unref()
      }
      setTimeout(look, LOOK_MS).unref()
    })

  const stop = (): void => {
    clearInterval(renewing)
    renewing = undefined
  }

  const keep = (file: Use): void => {
    const call_ids = [...flights.values()].map(({ call_id }) => call_id)
    if (call_ids.length === 0) stop()
    else renew(file, call_ids, now_us())
  }

  return {
    stop,
    join(partition, key, call_id) {
      const known = flights.get(nameOf(partition, key))
      if (known) return known.answer
      if (use && !claim(use, partition, key, call_id, now_us())) return follow(use, partition, key)
      flights.set(nameOf(partition, key), openFlight(call_id))
      if (use) renewing ??= setInterval(keep, RENEW_MS, use).unref()
      return undefined
    },
    done(partition, key, call_id, answer) {
      const name = nameOf(partition, key)
      const flight = flights.get(name)
      if (flight?.call_id !== call_id) return
      flights.delete(name)
      use?.((database) => {
        database
          .prepare('delete from flights where partition = ? and key = ? and call_id = ?')
          .run(partition, key, call_id)
      }, undefined)
      flight.end(answer)
    },
  }
}
