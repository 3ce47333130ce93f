/** What advice says of levers whose saving depends on what prompts say. */
import { expect, test } from 'vitest'
import type { Lever } from '../../src/core/lever.ts'
import type { LeverTrace } from '../../src/core/receipt.ts'
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
