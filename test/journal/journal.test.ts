import { ftruncateSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { encodeLine } from '../../src/core/journal-line.ts'
import type { Disk } from '../../src/gateway/disk.ts'
import { type JournalOptions, openJournal } from '../../src/gateway/journal.ts'
import { recover } from '../../src/gateway/recover.ts'
import { receipt, usd } from '../ledger/receipts.ts'
import { linesOf, receiptsOf } from './read.ts'

let folder = ''
const now_us = () => Date.now() * 1000
const journalOf = (options: Partial<JournalOptions> = {}) =>
  openJournal({ folder, thread: 't', now_us, segment_ms: 60_000, ...options })
const files = () => readdirSync(folder).sort()

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-journal-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a journal', () => {
  test('has a line on disk as soon as the call returns', () => {
    const journal = journalOf()
    const one = receipt({ user: 'ünï→😀' })
    journal.open(one)
    expect(linesOf(folder)).toEqual([{ k: 'open', r: one }])
    journal.receipt(one)
    expect(linesOf(folder)).toEqual([
      { k: 'open', r: one },
      { k: 'receipt', r: one },
    ])
    journal.close()
  })

  test('writes the lines of one turn of the event loop at once, and says so when they are on disk', async () => {
    const writes: number[] = []
    const disk: Disk = {
      write(fd, bytes, length, position) {
        writes.push(length)
        return writeSync(fd, bytes, 0, length, position)
      },
      truncate: ftruncateSync,
    }
    const journal = journalOf({ disk })
    const [one, two] = [receipt(), receipt()]
    const opened = [journal.openSoon(one), journal.openSoon(two)]
    expect(linesOf(folder)).toEqual([])
    await opened[0]
    expect(linesOf(folder)).toEqual([one, two].map((r) => ({ k: 'open', r })))
    expect(writes).toHaveLength(1)
    await Promise.all([journal.receiptSoon(one), journal.openSoon(receipt()), journal.receiptSoon(two)])
    expect(receiptsOf(folder)).toEqual([one, two])
    expect(writes).toHaveLength(2)
    const last = journal.receiptSoon(receipt({ receipt_id: 'last' }))
    journal.close()
    await last
    expect(receiptsOf(folder).map(({ receipt_id }) => receipt_id)).toContain('last')
  })

  test('takes a line of any length', () => {
    const journal = journalOf()
    const long = receipt({ usage_raw: '😀'.repeat(200_000) })
    journal.receipt(long)
    journal.close()
    expect(receiptsOf(folder)).toEqual([long])
  })

  test('closes segments in order and tells their names; what is open is carried into the next one', async () => {
    const closed: string[] = []
    const journal = journalOf({ segment_bytes: 1000, onSegment: (name) => closed.push(name) })
    const slow = receipt({ receipt_id: 'slow' })
    journal.open(slow)
    for (let count = 0; count < 30; count += 1) journal.receipt(receipt())
    await vi.waitFor(() => expect(closed.length).toBeGreaterThan(3))
    const last = files().find((file) => file.endsWith('.open')) ?? ''
    expect(readFileSync(join(folder, last), 'utf8').split('\n')[0]).toBe(encodeLine('open', slow).trimEnd())
    journal.receipt(slow)
    journal.close()
    expect(closed).toEqual([...closed].sort())
    expect(files()).toEqual(closed)
    expect(receiptsOf(folder)).toHaveLength(31)
  })

  test('closes an old segment by itself, and none that holds no receipt', async () => {
    const closed: string[] = []
    const journal = journalOf({ segment_ms: 20, fsync_ms: 5, onSegment: (name) => closed.push(name) })
    journal.open(receipt())
    await sleep(80)
    expect(closed).toEqual([])
    journal.receipt(receipt())
    await vi.waitFor(() => expect(closed).toHaveLength(1))
    journal.close()
  })

  test('leaves what is open when it is closed for the next start, and nothing else', () => {
    const journal = journalOf()
    journal.open(receipt({ receipt_id: 'left', price_state: 'priced', reserved_usd: usd('0.5') }))
    journal.receipt(receipt({ receipt_id: 'ended' }))
    journal.close()
    expect(files().map((file) => file.endsWith('.open'))).toEqual([false, true])
    expect(recover(folder)).toMatchObject({ unknown: 1 })
    expect(receiptsOf(folder).map((one) => [one.receipt_id, one.outcome, one.cost_usd])).toEqual([
      ['ended', 'ok', undefined],
      ['left', 'unknown', '0.5'],
    ])
  })

  test('of an idle thread leaves no file behind', () => {
    journalOf().close()
    expect(files()).toEqual([])
  })

  test('shares a folder with others of the same name and moment', () => {
    const options = { now_us: () => 1_000_000 }
    const journals = [journalOf(options), journalOf(options)]
    for (const journal of journals) journal.receipt(receipt())
    for (const journal of journals) journal.close()
    expect(receiptsOf(folder)).toHaveLength(2)
  })
})

/** A real disk that has room for so many bytes of a file, and then writes a part of what it is given, as disks do. */
const smallDisk = (room: { bytes: number; truncates: boolean }): Disk => ({
  write(fd, bytes, length, position) {
    const fitting = Math.min(length, Math.max(0, room.bytes - position))
    if (fitting > 0) writeSync(fd, bytes, 0, fitting, position)
    if (fitting === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    return fitting
  },
  truncate(fd, length) {
    if (!room.truncates) throw Object.assign(new Error('EIO: i/o error, ftruncate'), { code: 'EIO' })
    ftruncateSync(fd, length)
  },
})

describe('a segment that somebody removes while it is written', () => {
  test('is written anew, with all that it held', async () => {
    const journal = journalOf({ fsync_ms: 5 })
    const [first, second, third, attempt] = [receipt(), receipt(), receipt(), receipt()]
    journal.receipt(first)
    journal.open(attempt)
    rmSync(folder, { recursive: true })
    journal.receipt(second)
    await vi.waitFor(() => expect(receiptsOf(folder)).toHaveLength(2))
    // And one that is about to be closed.
    journal.rotate()
    rmSync(folder, { recursive: true })
    await vi.waitFor(() => expect(receiptsOf(folder)).toHaveLength(2))
    journal.receipt(third)
    journal.close()
    expect(receiptsOf(folder)).toEqual([first, second, third])
    expect(recover(folder)).toMatchObject({ unknown: 1, torn: 0, bad: 0 })
  })

  test('refuses loudly where it cannot be, and goes on by itself when it can', async () => {
    const journal = journalOf({ fsync_ms: 5 })
    const [first, second] = [receipt(), receipt()]
    journal.receipt(first)
    rmSync(folder, { recursive: true })
    writeFileSync(folder, 'not a folder')
    await vi.waitFor(() => expect(journal.healthy()).toBe(false))
    expect(() => journal.open(receipt())).toThrow(/journal .* cannot be written/)
    expect(() => journal.receipt(second)).toThrow(/journal .* cannot be written/)
    rmSync(folder)
    await vi.waitFor(() => expect(journal.healthy()).toBe(true))
    journal.close()
    expect(receiptsOf(folder)).toEqual([first, second])
  })
})

describe('a full disk', () => {
  test('refuses loudly, tears no line, and is used again by itself once it has room', async () => {
    const room = { bytes: 1500, truncates: true }
    const journal = journalOf({ disk: smallDisk(room), fsync_ms: 5 })
    const written: string[] = []
    const refused: string[] = []
    for (let count = 0; count < 8; count += 1) {
      const one = receipt()
      try {
        journal.receipt(one)
        written.push(one.receipt_id)
      } catch (error) {
        expect(error).toMatchObject({ code: 'journal-unwritable', status: 503 })
        refused.push(one.receipt_id)
      }
    }
    expect(written.length).toBeGreaterThan(0)
    expect(refused.length).toBeGreaterThan(0)
    expect(receiptsOf(folder).map((one) => one.receipt_id)).toEqual(written)
    expect(journal.healthy()).toBe(false)
    expect(journal.waiting()).toBe(refused.length)
    room.bytes = Number.POSITIVE_INFINITY
    await vi.waitFor(() => expect(journal.healthy()).toBe(true))
    expect(journal.waiting()).toBe(0)
    journal.close()
    expect(receiptsOf(folder).map((one) => one.receipt_id)).toEqual([...written, ...refused])
  })

  test('refuses every call whose line was to be written together, and writes their receipts once it has room', async () => {
    const room = { bytes: 10, truncates: true }
    const journal = journalOf({ disk: smallDisk(room), fsync_ms: 5 })
    const [opening, one, two] = [receipt(), receipt(), receipt()]
    const asked = [journal.openSoon(opening), journal.receiptSoon(one), journal.receiptSoon(two)]
    const states = (await Promise.allSettled(asked)).map(({ status }) => status)
    expect(states).toEqual(['rejected', 'rejected', 'rejected'])
    expect(journal.waiting()).toBe(2)
    room.bytes = Number.POSITIVE_INFINITY
    await vi.waitFor(() => expect(journal.waiting()).toBe(0))
    journal.close()
    expect(linesOf(folder)).toEqual([one, two].map((r) => ({ k: 'receipt', r })))
  })

  test('refuses an attempt before it is dispatched, and does not remember it', () => {
    const journal = journalOf({ disk: smallDisk({ bytes: 10, truncates: true }) })
    expect(() => journal.open(receipt())).toThrow(/journal .* cannot be written/)
    expect(journal.waiting()).toBe(0)
    journal.close()
    recover(folder)
    expect(linesOf(folder)).toEqual([])
  })

  test('that cannot even be repaired leaves a torn line, which the next line or recovery cuts', () => {
    const room = { bytes: 600, truncates: false }
    const journal = journalOf({ disk: smallDisk(room) })
    const one = receipt()
    journal.receipt(one)
    expect(() => journal.receipt(receipt({ usage_raw: 'y'.repeat(300) }))).toThrow()
    room.bytes = Number.POSITIVE_INFINITY
    expect(() => journal.receipt(receipt())).toThrow()
    journal.close()
    expect(recover(folder)).toMatchObject({ torn: 1, bad: 0 })
    expect(receiptsOf(folder)).toEqual([one])
  })

  test('whatever fits and whenever: every line is whole, and no receipt is lost or doubled', () => {
    const step = fc.oneof(
      fc.integer({ min: -400, max: 400 }),
      fc.constant('line' as const),
      fc.constant('rotate' as const),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        rmSync(folder, { recursive: true })
        const room = { bytes: 1000, truncates: true }
        const journal = journalOf({ disk: smallDisk(room), segment_bytes: 3000 })
        const given: string[] = []
        const write = () => {
          const line = receipt()
          given.push(line.receipt_id)
          try {
            journal.receipt(line)
          } catch {
            // It waits for room.
          }
        }
        for (const one of steps) {
          if (typeof one === 'number') room.bytes += one
          else if (one === 'rotate') journal.rotate()
          else write()
        }
        room.bytes = Number.POSITIVE_INFINITY
        journal.close()
        recover(folder)
        expect(receiptsOf(folder).map((one) => one.receipt_id)).toEqual(given)
      }),
      { seed: 11, numRuns: 150 },
    )
  })
})
