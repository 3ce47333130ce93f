import { expect, test } from 'vitest'
import { renderLeaks } from '../../src/cli/leaks/render.ts'
import type { Answers } from '../../src/core/ledger.ts'
import { ledgerFolder, receipts } from './fixture.ts'
import { weir } from './run.ts'

const window = {
  window: { from_us: Date.UTC(2026, 10, 9) * 1000, to_us: Date.UTC(2026, 10, 16) * 1000 },
  name: 'last 7 days',
  zone: 'UTC',
}

const answer: Answers['leaks'] = {
  total_usd: '1234.5',
  input_tokens: 10_000_000,
  cacheable_tokens: 8_000_000,
  cached_tokens: 1_000_000,
  leaks: [
    { kind: 'reasoning', cost_usd: '0', share: 0, calls: 0, finding: 'none', detail: [], examples: [] },
    {
      kind: 'retry-loops',
      cost_usd: '12.5',
      share: 0.0101,
      calls: 40,
      finding: '40 calls asked the same again within a minute.',
      detail: [],
      examples: ['call-a'],
    },
    {
      kind: 'context-accumulation',
      cost_usd: '617.25',
      share: 0.5,
      calls: 900,
      finding:
        'Earlier turns sent again are half of all input, over 30 sessions of up to 60 turns; a control \u001b[2Jcharacter does nothing.',
      detail: Array.from({ length: 8 }, (_, i) => ({
        feature: null,
        from_turn: 2 ** i,
        input_tokens_per_call: 1000 * 2 ** i,
        share_of_input: i / 10,
        cost_usd: `${i}.5`,
      })),
      examples: ['call-b', 'call-c', 'call-d', 'call-e'],
    },
  ],
}

test('leaks stand in the order of their cost, with finding, detail and calls, and those that cost nothing are left out', () => {
  expect(renderLeaks({ window, answer }, { width: 80, colour: false })).toMatchInlineSnapshot(`
    "Leaks last 7 days · 2026-11-09 – 2026-11-15 UTC · of $1,234.50 spent

      10 % of 10.0M input tokens came from a cache; the prompts’ common beginnings
      allow 80 %.
      One dollar can leak in several ways at once, so these do not add up to a
      saving.

    1. Context that grows with every turn
       $617.25   50 %  ██████████
       Earlier turns sent again are half of all input, over 30 sessions of up to 60
       turns; a control  [2Jcharacter does nothing.
       from turn  input tokens/call  of input   cost
               1               1.0k       0 %  $0.50
               2               2.0k      10 %  $1.50
               4               4.0k      20 %  $2.50
               8               8.0k      30 %  $3.50
              16              16.0k      40 %  $4.50
              32              32.0k      50 %  $5.50
       and 2 further rows: --json shows all
       see weir calls call-b
       see weir calls call-c
       see weir calls call-d

    2. Retry loops
       $12.50  1.0 %  ▎
       40 calls asked the same again within a minute.
       see weir calls call-a"
  `)
})

test('without any leak that is said', () => {
  const none = { ...answer, leaks: [], cacheable_tokens: 0 }
  expect(renderLeaks({ window, answer: none }, { width: 80, colour: false })).toMatchInlineSnapshot(`
    "Leaks last 7 days · 2026-11-09 – 2026-11-15 UTC · of $1,234.50 spent

      10 % of 10.0M input tokens came from a cache.

      No leak costs anything here."
  `)
})

test('one loop of calls is told of as one', async () => {
  const [first] = receipts.filter(({ outcome, attempt }) => outcome === 'ok' && attempt === 1)
  const again = [0, 1, 2].map((i) => ({
    ...(first ?? expect.fail()),
    receipt_id: `r-${i}`,
    call_id: `c-${i}`,
    fingerprint_exact: 'same',
    started_at_us: (first?.started_at_us ?? 0) + i * 1_000_000,
  }))
  const folder = await ledgerFolder(again)
  const { out } = await weir(['leaks', '--since', 'all', '--data', folder.data], { env: { COLUMNS: '400' } })
  expect(out).toContain(
    '1 loop sent the same body three times or more within minutes (3 calls), and 0 further attempts',
  )
  folder.clear()
})
