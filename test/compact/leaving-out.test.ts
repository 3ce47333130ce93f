import { describe, expect, test } from 'vitest'
import type { Kit } from '../../src/core/lever.ts'
import { lever as compress } from '../../src/playbook/compact/compress.ts'
import { lever as examples } from '../../src/playbook/compact/examples.ts'
import { bodyAfter, callOf, chosen, kitOf, type Message, sent } from './calling.ts'

describe('compact/examples', () => {
  const system = `Sort mails.\n<examples>\n${[1, 2, 3].map((id) => `<example id="${id}">\nmail ${id} → inbox\n</example>\n`).join('')}</examples>\nThat is all.`
  const prompt = {
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: 'A mail' },
    ],
  } as const
  const template = callOf(prompt).fingerprints.template ?? ''
  const permitted = { verdict: 'mails-2026-11', templates: [template] }
  const first = (settings: Parameters<typeof chosen<typeof examples.settings>>[1], kit = kitOf()) => {
    const call = callOf(prompt)
    return sent(call, examples.pull(call, chosen(examples, settings), kit))[0]
  }

  test('leaves out nothing without a verdict, or with one of another template', () => {
    expect(first({})).toBe(system)
    expect(first({ verdict: 'mails-2026-11' })).toBe(system)
    expect(first({ verdict: 'mails-2026-11', templates: ['0123456789abcdef'] })).toBe(system)
    expect(first({ templates: [template] })).toBe(system)
  })

  test('keeps as many as it is told, from the first on, and all text around them', () => {
    expect(first(permitted)).toBe('Sort mails.\n<examples>\n</examples>\nThat is all.')
    expect(first({ ...permitted, keep: 2 })).toBe(system.replace('<example id="3">\nmail 3 → inbox\n</example>\n', ''))
    expect(first({ ...permitted, keep: 3 })).toBe(system)
  })

  test('shows in observe mode what a verdict would be worth', () => {
    const pulled = examples.pull(callOf(prompt), chosen(examples), kitOf({ mode: 'observe' }))
    expect(pulled).toMatchObject({ do: 'change', why: expect.stringContaining('1 block is shorter') })
  })

  test('leaves out messages that are examples', () => {
    const messages: Message[] = [
      { role: 'system', content: 'Sort mails.' },
      { role: 'user', name: 'example_user', content: 'mail 1' },
      { role: 'assistant', name: 'example_assistant', content: 'inbox' },
      { role: 'user', content: 'A mail' },
    ]
    const call = callOf({ messages })
    const settings = chosen(examples, { verdict: 'x', templates: [call.fingerprints.template ?? ''] })
    expect(bodyAfter(call, examples.pull(call, settings, kitOf())).messages).toEqual([messages[0], messages[3]])
  })
})

describe('examples that are messages', () => {
  const call = { id: 'e1', function: { name: 'look', arguments: '{}' } }
  const mark = { prompt_cache_breakpoint: { mode: 'explicit' } }
  const left = (...shown: Message[]) => {
    const messages: Message[] = [
      { role: 'system', content: 'Sort mails.' },
      ...shown,
      { role: 'user', content: 'A mail' },
    ]
    const asked = callOf({ messages })
    const settings = chosen(examples, { verdict: 'x', templates: [asked.fingerprints.template ?? ''] })
    return bodyAfter(asked, examples.pull(asked, settings, kitOf())).messages.slice(1, -1)
  }

  test('all stay where one of them calls a tool: no half of an example is sent', () => {
    const shown: Message[] = [
      { role: 'user', name: 'example_user', content: 'mail 1' },
      { role: 'assistant', name: 'example_assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'e1', content: 'seen' },
      { role: 'assistant', name: 'example_assistant', content: 'inbox' },
    ]
    expect(left(...shown)).toEqual(shown)
  })

  test('all stay where one of them carries a cache mark: what is cached up to it would go with it', () => {
    const shown: Message[] = [
      { role: 'user', name: 'example_user', content: 'mail 1' },
      { role: 'assistant', name: 'example_assistant', content: [{ type: 'text', text: 'inbox', ...mark }] },
    ]
    expect(left(...shown)).toEqual(shown)
  })
})

describe('compact/compress', () => {
  const prose = 'The quick brown fox jumps over the lazy dog, and then it rests for a while. '.repeat(80)
  const messages = (result: string): Message[] => [
    { role: 'user', content: prose },
    { role: 'assistant', tool_calls: [{ id: 'c1', function: { name: 'read', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: 'c1', content: result },
  ]
  const halving = () => {
    const asked: string[] = []
    const door: Kit['compress'] = async (text, share) => {
      asked.push(text)
      return text.slice(0, Math.ceil(text.length * share))
    }
    return { asked, kit: kitOf({ compress: door }) }
  }
  const settings = chosen(compress)

  test('says that there is no compressor where none is configured', async () => {
    const call = callOf({ messages: messages(prose) })
    const none = { do: 'nothing', why: 'services.compressor names no model' }
    expect(await compress.pull(call, settings, kitOf())).toEqual(none)
  })

  test('shortens long prose of tools once, and sends it alike on later turns and in other conversations', async () => {
    const { asked, kit } = halving()
    const call = callOf({ messages: messages(prose) })
    const texts = sent(call, await compress.pull(call, settings, kit))
    expect(texts[0]).toBe(prose)
    expect(texts.at(-1)).toBe(prose.slice(0, prose.length / 2))
    const later = callOf(
      { messages: [...messages(prose), { role: 'assistant', content: 'Yes.' }, { role: 'user', content: 'And?' }] },
      20,
    )
    expect(sent(later, await compress.pull(later, settings, kit)).slice(0, texts.length)).toEqual(texts)
    const other = callOf({ messages: [{ role: 'user', content: 'Read it.' }, ...messages(prose).slice(1)] }, 30)
    expect(sent(other, await compress.pull(other, settings, kit)).at(-1)).toBe(texts.at(-1))
    expect(asked).toHaveLength(1)
  })

  test('leaves JSON, code and short texts alone', async () => {
    const { asked, kit } = halving()
    for (const result of [JSON.stringify({ text: prose }), `\`\`\`\n${prose}\n\`\`\``, 'short']) {
      const pulled = await compress.pull(callOf({ messages: messages(result) }), settings, kit)
      expect(pulled).toEqual({ do: 'nothing', why: 'no long prose' })
    }
    expect(asked).toEqual([])
  })

  test.each([
    [
      'Python',
      'def total(items):\n    # Adds up what all the items cost, with tax.\n    return sum(item.price * 1.2 for item in items)\n\n',
    ],
    ['YAML', 'service:\n  name: billing\n  replicas: 3\n  image: registry.example.com/billing:1.2\n'],
    ['CSV', 'id,name,city,amount\n1,Ann Lee,New York,12.50\n2,Bob Ray,Los Angeles,7.10\n'],
    [
      'a diff',
      '@@ -1,4 +1,4 @@\n-const total = items.length\n+const total = items.reduce((sum, { price }) => sum + price, 0)\n',
    ],
    ['a log', '2026-11-29T07:00:00Z INFO worker=3 request_id=ab12 GET /v1/items 200 12ms\n'],
  ])('leaves %s alone, though no fence says what it is', async (_, text) => {
    const { asked, kit } = halving()
    const pulled = await compress.pull(callOf({ messages: messages(text.repeat(120)) }), settings, kit)
    expect(pulled).toEqual({ do: 'nothing', why: 'no long prose' })
    expect(asked).toEqual([])
  })

  test.each([
    [
      'with headings and a list',
      '# Weirs\n\nA weir is a low dam that measures a river, and controls it.\n\n- It raises the level of the water (upstream).\n',
    ],
    [
      'wrapped',
      'The committee met on the 3rd of May to hear what the\nengineers had found; nobody left before midnight.\n',
    ],
    ['without blanks between words', '堰は川の流れを測り、水位を調節するための低いダムである。\n'],
  ])('takes prose %s for prose', async (_, text) => {
    const { kit } = halving()
    const pulled = await compress.pull(callOf({ messages: messages(text.repeat(160)) }), settings, kit)
    expect(pulled).toMatchObject({ do: 'change' })
  })
})
