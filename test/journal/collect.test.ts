import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { encodeLine } from '../../src/core/journal-line.ts'
import type { Ledger } from '../../src/core/ledger.ts'
import { startCollector } from '../../src/gateway/collect.ts'
import { openJournal } from '../../src/gateway/journal.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { lineAsJson, receipt, writeSegment } from '../ledger/receipts.ts'

let data = ''
let folder = ''
let ledger: Ledger
const said: string[] = []
const log = {
  info: (_: object, message: string) => void said.push(message),
  warn: (_: object, message: string) => void said.push(message),
  error: (fields: object, message: string) => void said.push(`${message} ${JSON.stringify(fields)}`),
}

beforeEach(async () => {
  said.length = 0
  data = mkdtempSync(join(tmpdir(), 'weir-collect-'))
  folder = join(data, 'journal')
  ledger = await open({ path: join(data, 'ledger.duckdb') })
})
afterEach(async () => {
  await ledger.close()
  rmSync(data, { recursive: true })
})
const extent = () => ledger.query({ ask: 'extent' })

describe('a collector', () => {
  test('has what a living journal closed in the ledger, and removes the files', async () => {
    const collector = startCollector({ folder, ledger, log, every_ms: 10 })
    const journal = openJournal({
      folder,
      thread: 't',
      now_us: () => Date.now() * 1000,
      segment_bytes: 2000,
      onSegment: collector.notice,
    })
    for (let count = 0; count < 40; count += 1) journal.receipt(receipt())
    await vi.waitFor(async () => expect((await extent()).receipts).toBeGreaterThan(30))
    journal.close()
    await collector.stop()
    expect((await extent()).receipts).toBe(40)
    expect(readdirSync(folder)).toEqual([])
    expect(collector.lag()).toEqual({ segments: 0, bytes: 0, failed: false })
    expect(said).toEqual([])
  })

  test('that died between the commit and the removal of the file appends nothing twice', async () => {
    const name = 't-1-00000001.ndjson'
    writeSegment(join(folder, name), [receipt(), receipt()])
    await ledger.append({ name, path: join(folder, name) })
    await startCollector({ folder, ledger, log }).stop()
    expect(await extent()).toMatchObject({ receipts: 2, segments: 1 })
    expect(existsSync(join(folder, name))).toBe(false)
  })

  test('takes what an earlier version left in the journal', async () => {
    writeSegment(join(folder, 't-1-00000001.ndjson'), [receipt(), receipt()], lineAsJson)
    writeSegment(join(folder, 't-2-00000001.ndjson'), [receipt()])
    await startCollector({ folder, ledger, log }).stop()
    expect(await extent()).toMatchObject({ receipts: 3, segments: 2 })
    expect([readdirSync(folder), said]).toEqual([[], []])
  })

  test('leaves a segment alone that is still written', async () => {
    const name = 't-1-00000001.ndjson.open'
    writeSegment(join(folder, name), [receipt()])
    await startCollector({ folder, ledger, log }).stop()
    expect((await extent()).receipts).toBe(0)
    expect(readdirSync(folder)).toEqual([name])
  })

  test('keeps the good lines of a corrupt segment, sets the whole aside, and says so with the number of bad lines', async () => {
    const name = 't-1-00000001.ndjson'
    writeSegment(join(folder, name), [receipt(), receipt()])
    appendFileSync(
      join(folder, name),
      `{"k":"receipt","r":{"receipt_id":"torn\n\u0000\u0000\u0000\n{"k":"receipt","r":{"receipt_id":"x"}}\n`,
    )
    appendFileSync(join(folder, name), `${JSON.stringify({ k: 'receipt', r: { ...receipt(), cost_usd: 'much' } })}\n`)
    const cut = encodeLine('receipt', receipt())
    appendFileSync(join(folder, name), `${cut.slice(0, cut.length - 20)}\n${cut.replace('r2', 'r7')}`)
    writeSegment(join(folder, 't-1-00000002.ndjson'), [receipt()])
    await startCollector({ folder, ledger, log }).stop()
    expect(await extent()).toMatchObject({ receipts: 3, segments: 2 })
    expect(readdirSync(folder)).toEqual(['quarantine'])
    expect(readdirSync(join(folder, 'quarantine'))).toEqual([name])
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(/quarantine.*"bad_lines":6,"good_lines":4/)
  })

  test('never lets a later segment of a run overtake one that the ledger does not take, and catches up when it does', async () => {
    for (const name of ['a-1-00000001.ndjson', 'a-1-00000002.ndjson', 'b-1-00000001.ndjson'])
      writeSegment(join(folder, name), [receipt()])
    const asked: string[] = []
    let broken = true
    const moody: Ledger = {
      ...ledger,
      appendAll: () => Promise.reject(new Error('the disk is full')),
      append: (segment) => {
        asked.push(segment.name)
        if (broken && segment.name === 'a-1-00000001.ndjson') return Promise.reject(new Error('the disk is full'))
        return ledger.append(segment)
      },
    }
    const collector = startCollector({ folder, ledger: moody, log, every_ms: 60_000 })
    expect(await collector.collect()).toBe(1)
    expect(asked).toEqual(['a-1-00000001.ndjson', 'b-1-00000001.ndjson'])
    expect(collector.lag()).toMatchObject({ segments: 2, failed: true })
    expect(said[0]).toMatch(/stays in the journal/)
    broken = false
    expect(await collector.collect()).toBe(2)
    expect(collector.lag()).toEqual({ segments: 0, bytes: 0, failed: false })
    await collector.stop()
  })

  test('writes nothing beside a good segment that the ledger refuses, as on a full disk, and says the ledger’s reason', async () => {
    mkdirSync(folder)
    writeSegment(join(folder, 't-1-00000001.ndjson'), [receipt()])
    // Where a copy would lie.
    mkdirSync(join(folder, 't-1-00000001.ndjson.sifted'))
    rmSync(join(data, 'ledger.duckdb'))
    const collector = startCollector({ folder, ledger, log, every_ms: 10 })
    await vi.waitFor(() => expect(collector.lag()).toMatchObject({ segments: 1, failed: true }))
    await collector.stop()
    expect(said).toEqual([expect.stringMatching(/does not take a segment.*was removed or replaced/)])
  })

  test('is not confused by other files in the folder', async () => {
    writeSegment(join(folder, 't-1-00000001.ndjson'), [receipt()])
    writeFileSync(join(folder, 'notes.txt'), 'mine')
    writeFileSync(join(folder, 't-1-00000002.ndjson.tmp'), 'half')
    await startCollector({ folder, ledger, log }).stop()
    expect(readdirSync(folder)).toEqual(['notes.txt', 't-1-00000002.ndjson.tmp'])
    expect((await extent()).receipts).toBe(1)
  })
})
