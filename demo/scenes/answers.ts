import { drain, type Scene, type Session } from '../kit.ts'
import { customer, document, handbook, question } from '../texts.ts'

/** A clock at the head of a prompt: no provider's cache ever sees the same prefix twice. */
const stamped = (n: number): string => `Today is 2026-11-23, request ${1_000_000 + n * 7919}.\n`

/** Retrieval with long contexts. Every second one is sent so that it can be cached; the others begin with a clock. */
const answer = (n: number): Session => ({
  calls: 1,
  run: async (kit) => {
    const cached = n % 2 === 0
    const tags = {
      team: 'search',
      feature: cached ? 'answers' : 'answers-beta',
      customer: customer(n),
      user: `user-${n % 31}`,
    }
    const found = Array.from({ length: 7 }, (_, i) => document((n * 5 + i * 3) % 40)).join('\n\n')
    const system = cached
      ? [{ type: 'text' as const, text: handbook, cache_control: { type: 'ephemeral' as const } }]
      : [{ type: 'text' as const, text: stamped(n) + handbook }]
    await kit.call('answers from documents', async () => {
      const stream = await kit.anthropic(tags).messages.create({
        model: 'claude-sonnet-5-5',
        max_tokens: 600,
        stream: true,
        system,
        messages: [{ role: 'user', content: `${found}\n\nAnswer from the articles: ${question(n)}` }],
      })
      await drain(stream)
    })
  },
})

/** Question answering over retrieved documents. */
export const answers = (count: number): Scene => ({
  title: 'answers from documents (RAG)',
  sessions: Array.from({ length: count }, (_, n) => answer(n)),
})
