import type { Scene, Session } from '../kit.ts'
import { document, passage, question } from '../texts.ts'

const LABELS = 'refund, delivery, invoice, account, damage, cancellation, other'
const instructions = `Say only the label of the ticket, one word of: ${LABELS}.\n${passage(9, 40)}`

/** Twenty tickets are labelled with one word each, by the dearest model there is. */
const labels = (n: number): Session => ({
  calls: 20,
  run: async (kit) => {
    const client = kit.openai({ team: 'data', feature: 'nightly-labels', session: `labels-${n}` })
    for (let i = 0; i < 20; i++) {
      await kit.call('nightly labels', () =>
        client.chat.completions.create({
          model: 'gpt-6-astra',
          reasoning_effort: 'none',
          messages: [
            { role: 'system', content: instructions },
            { role: 'user', content: `Label only: ${question(n * 20 + i)}` },
          ],
        }),
      )
    }
  },
})

const vectors = (n: number): Session => ({
  calls: 10,
  run: async (kit) => {
    const client = kit.openai({ team: 'data', feature: 'nightly-index', session: `index-${n}` })
    for (let i = 0; i < 10; i++) {
      const input = Array.from({ length: 8 }, (_, k) => document((n * 80 + i * 8 + k) % 120))
      await kit.call('nightly index', () =>
        client.embeddings.create({ model: 'text-embedding-3-small', input, dimensions: 64 }),
      )
    }
  },
})

/** The night's jobs: labels and an index. */
export const nightly = (count: number): Scene => ({
  title: 'nightly jobs: labels and an index',
  sessions: [
    ...Array.from({ length: count }, (_, n) => labels(n)),
    ...Array.from({ length: Math.ceil(count / 3) }, (_, n) => vectors(n)),
  ],
})
