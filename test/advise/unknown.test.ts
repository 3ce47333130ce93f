/** What advice says of levers of which receipts tell something: that they were observed, or at work. */
import { expect, test } from 'vitest'
import type { Lever } from '../../src/core/lever.ts'
import type { Usd } from '../../src/core/money.ts'
import type { LeverTrace } from '../../src/core/receipt.ts'
import { parted } from '../../src/playbook/advise/advice.ts'
import { lever as exact } from '../../src/playbook/cache/exact.ts'
import { lever as minify } from '../../src/playbook/compact/minify.ts'
import { lever as output } from '../../src/playbook/compact/output.ts'
import { adviceOn } from '../levers/day.ts'
import { receiptOf } from './receipts.ts'

const levers = { 'compact/minify': minify as unknown as Lever, 'compact/output': output as unknown as Lever }

/** Names of the levers of which nothing is known. */
const unknownAfter = async (traces: readonly LeverTrace[]): Promise<string[]> => {
  const receipts = Array.from({ length: 20 }, (_, at) =>
    receiptOf({ at_s: at, fresh: 100, output: 10, levers: traces }),
  )
  const { findings } = await adviceOn(receipts, levers)
  return findings.filter(({ is_unknown }) => is_unknown).map(({ lever }) => lever)
}

test('nothing is known of a compact lever that was never observed; of one that found nothing it is known', async () => {
  expect(await unknownAfter([])).toEqual(['compact/minify'])
  const found = { name: 'compact/minify', action: 'skipped', why: 'nothing to take out' } as const
  expect(await unknownAfter([found])).toEqual([])
})

test('a lever that was at work is not said to save nothing, and stays on in the configuration of all', async () => {
  const acted = { name: 'cache/exact', action: 'acted', why: 'made for a test', saving_usd: '0.02' as Usd } as const
  const removed = { name: 'compact/minify', action: 'observed', why: 'made for a test', tokens: 50 } as const
  const receipts = Array.from({ length: 20 }, (_, at) =>
    receiptOf({
      at_s: at,
      fresh: 100,
      output: 10,
      fingerprint_exact: at.toString(16).padStart(16, '0'),
      prefix_hashes: ['00000000000000aa', at.toString(16).padStart(16, '0')],
      prefix_tokens: [10, 100],
      levers: [acted, { ...removed, removed: [0, 50] }],
    }),
  )
  const both = { 'cache/exact': exact as unknown as Lever, 'compact/minify': minify as unknown as Lever }
  const { findings, configuration } = await adviceOn(receipts, both)
  const { worth, at_work, idle } = parted(findings)
  expect([worth, at_work, idle].map((some) => some.map(({ lever }) => lever))).toEqual([
    ['compact/minify'],
    ['cache/exact'],
    [],
  ])
  const { notes } = await adviceOn(receipts, { 'cache/exact': both['cache/exact'] })
  expect(notes[0]).toMatch(/^Nothing more pays on this traffic/)
  expect(at_work[0]?.realised).toEqual({ usd: '0.4', calls: 20 })
  expect(configuration).toBe('levers:\n  cache/exact: { mode: on }\n  compact/minify: { mode: on }\n')
})

test('the next test of a lever that was observed is not to observe it', async () => {
  const nextAfter = async (traces: readonly LeverTrace[]): Promise<string | undefined> => {
    const receipts = Array.from({ length: 20 }, (_, at) =>
      receiptOf({ at_s: at, fresh: 100, output: 10, levers: traces }),
    )
    return (await adviceOn(receipts, levers)).findings.find(({ lever }) => lever === 'compact/minify')?.next_test
  }
  expect(await nextAfter([])).toMatch(/^observe it for a day, then turn it on with `holdout/)
  expect(await nextAfter([{ name: 'compact/minify', action: 'skipped', why: 'nothing to take out' }])).toMatch(
    /^turn it on with `holdout/,
  )
})
