import { describe, expect, test } from 'vitest'
import type { Embedder, Kit } from '../../src/core/lever.ts'
import { chunksOf, without } from '../../src/playbook/compact/chunks.ts'
import { relevances } from '../../src/playbook/compact/relevance.ts'
import { lever } from '../../src/playbook/compact/retrieval.ts'
import { callOf, chosen, kitOf, type Message, sent } from './calling.ts'

const topics = [
  'Refunds are paid within fourteen days to the card that was used.',
  'The office in Lisbon opens at nine and closes at five.',
  'Checked baggage may weigh 23 kilograms; beyond that a fee is due.',
  'Our loyalty programme has three tiers: blue, silver and gold.',
  'A refund for a cancelled flight needs the booking reference.',
  'Pets travel in the cabin up to eight kilograms.',
]
const question = 'When is my refund for the cancelled flight paid?'

const forms: Record<string, (topic: string, index: number) => string> = {
  elements: (topic, index) => `<document index="${index + 1}">\n<source>help.md</source>\n${topic}\n</document>\n`,
  headings: (topic, index) => `### Document ${index + 1}\n${topic}\n`,
  brackets: (topic, index) => `[${index + 1}] ${topic}\n`,
  rules: (topic, index) => `${index === 0 ? '---\n' : ''}${topic}\n---\n`,
}

const ask = (context: string): Message[] => [{ role: 'user', content: `Use the context.\n\n${context}\n${question}` }]
const settings = chosen(lever, { keep: 2, near: 1 })

const leftOf = async (messages: Message[], kit: Kit = kitOf(), at_s = 0) => {
  const call = callOf({ messages }, at_s)
  return sent(call, await lever.pull(call, settings, kit))
}

describe('compact/retrieval', () => {
  test.each(Object.keys(forms))(
    'keeps the passages that the question is about, in order, with their delimiters: %s',
    async (name) => {
      const form = forms[name] ?? String
      const [text] = await leftOf(ask(topics.map(form).join('')))
      const kept = topics.flatMap((topic, index) => ([0, 4].includes(index) ? [form(topic, index)] : []))
      expect(text).toBe(
        `Use the context.\n\n${kept.join('').replace(/^(?!---)/, name === 'rules' ? '---\n' : '')}\n${question}`,
      )
    },
  )

  test('takes only forms that say where a passage begins and ends for a context', () => {
    for (const text of [
      topics.join('\n\n'),
      '- a\n- b\n- c',
      '<p>one</p><p>two</p>',
      '[1](https://a.example) and [2](https://b.example)',
      '<document>never closed',
      '1. one\n2. two',
    ])
      expect(chunksOf(text)).toEqual([])
  })

  test('recognises no elements that stand in others of their name, and takes longer names for others', () => {
    expect(chunksOf('<item>a <item>b</item> c</item>\n<item>d</item>')).toEqual([])
    const document = (nth: number) =>
      `<document index="${nth}"><source>${nth}.txt</source><document_content>text ${nth}</document_content></document>`
    const text = `<page id="0"/>${document(1)}${document(2)}`
    expect(chunksOf(text).map(({ start, end }) => text.slice(start, end))).toEqual([document(1), document(2)])
  })

  test('never takes a question that follows the last passage at once for a part of it', () => {
    const text = '[1] one\n[2] two\n[3] three\nWhat is one?'
    expect(chunksOf(text).map(({ start, end }) => text.slice(start, end))).toEqual(['[1] one\n', '[2] two\n'])
  })

  test('leaves a text as it was but for the passages that are left out', () => {
    for (const form of Object.values(forms)) {
      const text = `before\n${topics.map(form).join('')}\nafter`
      const chunks = chunksOf(text)
      expect(chunks).toHaveLength(topics.length)
      expect(without(text, [])).toBe(text)
      const rest = without(text, chunks)
      expect(rest).toContain('before')
      expect(rest).toContain('after')
      for (const topic of topics) expect(rest).not.toContain(topic)
    }
  })

  test('keeps all where there are few, or where the question has no word in common with any', async () => {
    const few = ask(
      topics
        .slice(0, 2)
        .map(forms['elements'] ?? String)
        .join(''),
    )
    expect(await leftOf(few)).toEqual(few.map(({ content }) => content))
    const strange: Message[] = [
      { role: 'user', content: `${topics.map(forms['elements'] ?? String).join('')}\nQuo vadis?` },
    ]
    expect(await leftOf(strange)).toEqual(strange.map(({ content }) => content))
  })

  test('chooses for a tool’s result by what the user asked and the model searched for, and stays with it on later turns', async () => {
    const kit = kitOf()
    const messages: Message[] = [
      { role: 'user', content: 'Please help me.' },
      {
        role: 'assistant',
        tool_calls: [{ id: 's1', function: { name: 'search', arguments: '{"q":"refund cancelled flight"}' } }],
      },
      { role: 'tool', tool_call_id: 's1', content: topics.map(forms['elements'] ?? String).join('') },
    ]
    const first = await leftOf(messages, kit)
    expect(first.at(-1)).toContain('booking reference')
    expect(first.at(-1)).not.toContain('Pets')
    const later: Message[] = [
      ...messages,
      { role: 'assistant', content: 'Done.' },
      { role: 'user', content: 'And pets?' },
    ]
    expect((await leftOf(later, kit, 20)).slice(0, first.length)).toEqual(first)
    expect((await leftOf(later, kitOf(), 20)).slice(0, first.length)).toEqual(first)
  })

  test('scores by embeddings where there is an embedder, and by words where it is down', async () => {
    const vector = (text: string) =>
      new Float32Array(text.includes('Lisbon') || text.includes('refund for the') ? [1, 0] : [0, 1])
    const embed: Embedder['embed'] = async (texts) => texts.map(vector)
    const messages = ask(topics.map(forms['elements'] ?? String).join(''))
    const [near] = await leftOf(messages, kitOf({ embedder: { name: 'of a test', deadline_ms: 100, embed } }))
    expect(near).toContain('Lisbon')
    const [down] = await leftOf(
      messages,
      kitOf({ embedder: { name: 'of a test', deadline_ms: 100, embed: () => Promise.reject(new Error('down')) } }),
    )
    expect(down).toBe((await leftOf(messages))[0])
  })

  test('weighs rare words over frequent ones, and counts a plural as its singular', () => {
    const scores = relevances('refund for a flight', [
      'flight flight flight',
      'a refund',
      'flights and refunds',
      'pets',
    ])
    expect(scores.indexOf(Math.max(...scores))).toBe(2)
    expect(scores[3]).toBe(0)
  })
})
