import type OpenAI from 'openai'
import { drain, type Kit, type Scene, type Session } from '../kit.ts'
import { customer, handbook, question } from '../texts.ts'

const TURNS = 7

/** A conversation whose whole history is sent again with every turn. */
const conversation = (n: number): Session => ({
  calls: TURNS,
  run: async (kit: Kit) => {
    const tags = {
      team: 'support',
      feature: 'assistant',
      customer: customer(n),
      user: `user-${n % 23}`,
      session: `chat-${n}`,
    }
    const client = kit.openai(tags)
    const model = n % 3 === 0 ? 'gpt-5.4' : 'gpt-5.6-terra'
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'system', content: handbook }]
    for (let turn = 0; turn < TURNS; turn++) {
      messages.push({ role: 'user', content: question(n * 11 + turn) })
      let said = ''
      await kit.call('support chat', async () => {
        const stream = await client.chat.completions.create({ model, messages, stream: true, reasoning_effort: 'none' })
        await drain(stream, (chunk) => {
          said += chunk.choices[0]?.delta.content ?? ''
        })
      })
      messages.push({ role: 'assistant', content: said })
    }
  },
})

/** Support chat with growing history. */
export const chat = (count: number): Scene => ({
  title: 'support chat with growing history',
  sessions: Array.from({ length: count }, (_, n) => conversation(n)),
})
