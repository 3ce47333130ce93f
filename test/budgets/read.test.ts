import { describe, expect, test } from 'vitest'
import { LARGEST_PROMPT, promptBound, unboundedBy } from '../../src/playbook/allocate/budget/bound.ts'
import { budgetWarnings } from '../../src/playbook/allocate/budget/nesting.ts'
import { readBudgets } from '../../src/playbook/allocate/budget/read.ts'
import { answersAsked } from '../../src/wires/framing/answers-asked.ts'

const good = { name: 'search', scope: { team: 'search' }, limit: { usd: 50 }, per: 'day', zone: 'Asia/Shanghai' }
const fieldsOf = (...list: unknown[]) => readBudgets(list).problems.map(({ path }) => path.join('.'))

test('a budget is read with what it leaves out filled in', () => {
  expect(readBudgets([good])).toEqual({
    problems: [],
    budgets: [
      {
        name: 'search',
        scope: { team: 'search' },
        limits: { usd: '50' },
        window: { every: 'day', zone: 'Asia/Shanghai' },
        kind: 'hard',
        when_exhausted: 'refuse',
        unbounded: 'refuse',
      },
    ],
  })
})

describe('a budget that cannot be one names the field', () => {
  test.each([
    ['a negative limit', { ...good, limit: { usd: -1 } }, ['0.limit.usd']],
    ['a limit of nothing', { ...good, limit: { usd: 0 } }, ['0.limit.usd']],
    ['a limit that is no number', { ...good, limit: { usd: 'much' } }, ['0.limit.usd']],
    ['half a call', { ...good, limit: { calls: 1.5 } }, ['0.limit.calls']],
    ['no limit', { ...good, limit: {} }, ['0.limit']],
    ['an unknown unit', { ...good, limit: { euros: 1 } }, ['0.limit.euros']],
    ['an unknown zone', { ...good, zone: 'Europe/Atlantis' }, ['0.zone']],
    ['an unknown dimension', { ...good, scope: { tem: 'search' } }, ['0.scope.tem']],
    ['an empty value', { ...good, scope: { team: '' } }, ['0.scope.team']],
    ['a window of no length', { name: 'a', limit: { usd: 1 }, last: '0h' }, ['0.last']],
    ['a window of half a minute', { name: 'a', limit: { usd: 1 }, last: '30s' }, ['0.last']],
    ['two windows', { ...good, last: '24h' }, ['0.per']],
    ['no window', { name: 'a', limit: { usd: 1 } }, ['0.per']],
    ['an unknown window', { ...good, per: 'fortnight' }, ['0.per']],
    ['a zone of a lifetime', { ...good, per: 'lifetime' }, ['0.zone']],
    ['an unknown field', { ...good, limits: {} }, ['0.limits']],
    ['a name with blanks', { ...good, name: 'a b' }, ['0.name']],
    ['a soft budget that falls back', { ...good, kind: 'soft', when_exhausted: ['groq'] }, ['0.when_exhausted']],
    [
      'a budget for a model that falls back',
      { ...good, scope: { model: 'gpt-*' }, when_exhausted: 'groq/x' },
      ['0.when_exhausted'],
    ],
    ['text', 'search', ['0']],
  ])('%s', (_, budget, fields) => {
    expect(fieldsOf(budget)).toEqual(fields)
  })

  test('two budgets of one scope, window and unit overlap; of other units, windows and zones they do not', () => {
    expect(fieldsOf(good, { ...good, name: 'again', limit: { usd: 60 } })).toEqual(['1.limit.usd'])
    expect(fieldsOf(good, { ...good, name: 'tokens', limit: { tokens: 60 } })).toEqual([])
    expect(fieldsOf(good, { ...good, name: 'week', per: 'week' })).toEqual([])
    expect(fieldsOf(good, { ...good, name: 'utc', zone: 'UTC' })).toEqual([])
    expect(fieldsOf(good, { ...good, scope: { team: 'ads' } })).toEqual(['1.name'])
  })
})

test('a budget above one that all of its calls are under too is a warning, and no error', () => {
  const list = [
    { name: 'company', limit: { usd: 40 }, per: 'day' },
    { name: 'teams', scope: { team: 'each' }, limit: { usd: 45 }, per: 'day' },
    { name: 'search', scope: { team: 'search' }, limit: { usd: 50 }, per: 'day' },
    { name: 'ads', scope: { team: 'ads' }, limit: { usd: 5 }, per: 'day' },
    { name: 'monthly', limit: { usd: 900 }, per: 'month' },
    { name: 'hint', limit: { usd: 1 }, per: 'day', kind: 'soft' },
  ]
  const { budgets, problems } = readBudgets(list.slice(0, 5))
  expect(problems).toEqual([])
  expect(budgetWarnings(readBudgets(list.slice(1)).budgets).join(), 'a soft one stops nothing').not.toContain('hint')
  expect(
    budgetWarnings(budgets).map((text) => text.replace(/ limits.* but /, ' above ').replace(/ stops.*/, '')),
  ).toEqual(['teams above company', 'search above company', 'search above teams'])
  expect(budgetWarnings(budgets, 'ads')).toEqual([])
  expect(budgetWarnings(budgets, 'a')).toEqual([])
  expect(budgetWarnings(budgets, 'teams')).toHaveLength(2)
})

describe('the bound of a prompt', () => {
  const bound = (body: unknown, text = JSON.stringify(body)) => promptBound(text, text.length, body)

  test('is a token for a byte and what providers add', () => {
    const body = { messages: [{ role: 'user', content: '𒀀𒀁𒀂'.repeat(10) }] }
    expect(bound(body)).toBe(JSON.stringify(body).length + 1024)
  })

  test('is the longest prompt of any model where content lies elsewhere, or is denser than text', () => {
    const bodies = [
      { previous_response_id: 'resp_1' },
      { contents: [{ parts: [{ fileData: { fileUri: 'x' } }] }] },
      { cachedContent: 'cachedContents/1' },
      { messages: [{ content: [{ type: 'document', source: { type: 'base64', data: 'JVBE' } }] }] },
      { input: [{ content: [{ type: 'input_file', file_id: 'file-1' }] }] },
    ]
    for (const body of bodies) expect(bound(body)).toBe(LARGEST_PROMPT)
  })

  test('finds such content where its name is spelt in escapes', () => {
    const body = { previous_response_id: 'resp_1' }
    expect(bound(body, JSON.stringify(body).replace('_id', '\\u005fid'))).toBe(LARGEST_PROMPT)
  })

  test.each([
    ['that the provider fetches', { type: 'image_url', image_url: { url: 'https://x/y.png' } }],
    [
      'in Anthropic’s form, whose bytes are fewer than its tokens',
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBO' } },
    ],
  ])('counts every picture %s', (_, picture) => {
    const body = { messages: [{ content: [picture, picture] }] }
    expect(bound(body)).toBeGreaterThan(40_000)
    expect(bound(body)).toBeLessThan(LARGEST_PROMPT)
  })
})

describe('what makes a worst case unknowable', () => {
  test.each([
    ['web_search_options', { web_search_options: {} }],
    ['web_search_20250305', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }],
    ['googleSearch', { tools: [{ googleSearch: {} }] }],
    ['file_search', { tools: [{ type: 'function' }, { type: 'file_search' }] }],
    ['background', { background: true }],
    ['models', { models: ['a', 'b'] }],
    ['fallbacks', { fallbacks: [{ model: 'dearer' }] }],
    ['context_management', { context_management: { edits: [{ type: 'compact_20260112' }] } }],
    ['context_management', { context_management: [{ type: 'compaction', compact_threshold: 9000 }] }],
  ])('%s', (name, body) => {
    expect(unboundedBy(body, 'chat')).toBe(name)
  })

  test('is nothing that the client runs', () => {
    const tools = [
      { type: 'function', function: {} },
      { type: 'custom', name: 'x' },
      { name: 'x', input_schema: {} },
      { type: 'bash_20250124', name: 'bash' },
      { functionDeclarations: [] },
      { toolSpec: {} },
    ]
    expect(unboundedBy({ tools, background: false, models: [] }, 'chat')).toBeUndefined()
    expect(unboundedBy({ prompt: 'text' }, 'completions')).toBeUndefined()
    expect(unboundedBy({ context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } }, 'messages')).toBe(
      undefined,
    )
  })

  test('answers that are asked for at once are counted', () => {
    expect(answersAsked({ n: 3, best_of: 5 })).toBe(5)
    expect(answersAsked({ generationConfig: { candidateCount: 4 } })).toBe(4)
    expect(answersAsked({ generation_config: { candidate_count: 4 } })).toBe(4)
    expect(answersAsked({ generationConfig: { candidateCount: 2, candidate_count: 4 } })).toBe(4)
    expect(answersAsked({ n: '10' }), 'lenient servers read numbers in texts').toBe(10)
    expect(answersAsked({ n: 2, prompt: ['a', 'b', 'c'] })).toBe(6)
    expect(answersAsked({ prompt: [1, 2, 3] }), 'a prompt in tokens').toBe(1)
    expect(answersAsked({ prompt: [[1], [2]] })).toBe(2)
    expect(answersAsked(undefined)).toBe(1)
  })
})
