import type { Scene, Session } from '../kit.ts'
import { customer, document, question } from '../texts.ts'

/** The simulator fails most calls of this key: whoever starts it decides how. */
export const STORM_KEY = 'sk-demo-storm'

/** A client that retries on 429 and 5xx, against a provider that has a bad hour. */
const storm = (n: number): Session => ({
  calls: 4,
  run: async (kit) => {
    const client = kit.openai(
      { team: 'platform', feature: 'alerts', session: `alerts-${n}` },
      { key: STORM_KEY, retries: 2 },
    )
    for (let i = 0; i < 4; i++) {
      await kit.call('retry storm', () =>
        client.chat.completions.create({
          model: 'gpt-5.4-mini',
          reasoning_effort: 'low',
          messages: [{ role: 'user', content: `Is this alert serious? Be brief. ${question(n * 4 + i)}` }],
        }),
      )
    }
  },
})

/** A parser that is never content: the same prompt is sent, and paid for, again and again. */
const stubborn = (n: number): Session => ({
  calls: 6,
  run: async (kit) => {
    const tags = { team: 'platform', feature: 'extract', customer: customer(n), session: `extract-${n}` }
    const client = kit.openai(tags)
    for (let i = 0; i < 6; i++) {
      await kit.call('extraction that never parses', () =>
        client.chat.completions.create({
          model: 'gpt-5.5',
          reasoning_effort: 'none',
          messages: [
            { role: 'user', content: `Extract the amounts as CSV from:\n${document(n)}\n${document(n + 60)}` },
          ],
        }),
      )
    }
  },
})

/** Retries, free ones (429, 500) and dear ones (answers that are thrown away). */
export const retries = (count: number): Scene => ({
  title: 'a retry storm',
  sessions: [
    ...Array.from({ length: count }, (_, n) => storm(n)),
    ...Array.from({ length: count }, (_, n) => stubborn(n)),
  ],
})
