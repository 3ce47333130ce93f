import { drain, type Scene, type Session } from '../kit.ts'
import { customer, document, passage, question } from '../texts.ts'

const many = (count: number, calls: number, run: (n: number) => Session['run']): Session[] =>
  Array.from({ length: count }, (_, n) => ({ calls, run: run(n) }))

const newsletter =
  (n: number): Session['run'] =>
  async (kit) => {
    const client = kit.openai({ team: 'growth', feature: 'newsletter', customer: customer(n) })
    await kit.call('verbose newsletter', () =>
      client.responses.create({
        model: 'gpt-6-sol',
        reasoning: { effort: 'none' },
        input: `Write in detail, long-form and comprehensive: ${question(n)}`,
      }),
    )
  }

const contracts =
  (n: number): Session['run'] =>
  async (kit) => {
    const client = kit.openai({ team: 'legal', feature: 'contract-review', user: `lawyer-${n % 4}` })
    await kit.call('contract review', async () => {
      const stream = await client.responses.create({
        model: 'gpt-5.6-sol',
        reasoning: { effort: 'high' },
        stream: true,
        input: `Is this clause fair? Be concise.\n${passage(n, 70)}`,
      })
      await drain(stream)
    })
  }

const translate =
  (n: number): Session['run'] =>
  async (kit) => {
    const client = kit.google({ team: 'mobile', feature: 'translate', user: `user-${n % 17}` })
    await kit.call('translation with Gemini', async () => {
      const model = n % 4 === 0 ? 'gemini-2.5-pro' : 'gemini-3.8-flash'
      const stream = await client.models.generateContentStream({
        model,
        contents: `Translate to Norwegian: ${question(n)}`,
        config: { systemInstruction: passage(2, 30), thinkingConfig: { thinkingBudget: 256 } },
      })
      await drain(stream)
    })
  }

/** A fine-tune that stands in no price list: its calls are unpriced, never free. */
const tuned =
  (n: number): Session['run'] =>
  async (kit) => {
    const client = kit.openai({ team: 'research', feature: 'tone-experiment' })
    await kit.call('a model nobody has priced', () =>
      client.chat.completions.create({
        model: 'ft:gpt-4.1-mini:acme:tone:9xQ2',
        messages: [{ role: 'user', content: `Say it kindly, be brief: ${question(n)}` }],
      }),
    )
  }

const elsewhere =
  (n: number): Session['run'] =>
  async (kit) => {
    const [provider, model] = n % 2 === 0 ? ['deepseek', 'deepseek-flash'] : ['x-ai', 'grok-4.7']
    const client = kit.openai({ team: 'research', feature: 'compare', user: `analyst-${n % 3}` }, { provider })
    await kit.call(`the same at ${provider}`, async () => {
      const stream = await client.chat.completions.create({
        model: model ?? '',
        stream: true,
        messages: [{ role: 'user', content: `${document(n)}\nSummarise, be brief.` }],
      })
      await drain(stream)
    })
  }

/** Somebody's script, without a tag. */
const untagged =
  (n: number): Session['run'] =>
  async (kit) => {
    await kit.call('untagged script', () =>
      kit.openai({}).chat.completions.create({
        model: 'gpt-4o',
        messages: [{ role: 'user', content: `${passage(n, 25)} What is this about?` }],
      }),
    )
  }

/** Everything else that an organisation does with models. */
export const others = (count: number): readonly Scene[] => [
  { title: 'verbose newsletters', sessions: many(count, 1, newsletter) },
  { title: 'reasoning over contracts', sessions: many(count, 1, contracts) },
  { title: 'translations with Gemini', sessions: many(count * 2, 1, translate) },
  { title: 'a model nobody has priced', sessions: many(Math.ceil(count / 2), 1, tuned) },
  { title: 'other providers', sessions: many(count, 1, elsewhere) },
  { title: 'untagged scripts', sessions: many(Math.ceil(count / 2), 1, untagged) },
]
