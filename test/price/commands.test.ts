import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { renderList } from '../../src/cli/prices/list.ts'
import { renderShown } from '../../src/cli/prices/show.ts'
import { plain } from '../../src/cli/show/look.ts'
import { findModel, quote } from '../../src/cli/tokens/quote.ts'
import { countParts, readDraft } from '../../src/cli/tokens/read.ts'
import { ratios } from '../../src/playbook/measure/ratios.ts'
import { listModels } from '../../src/verbs/prices/list.ts'
import { showModel } from '../../src/verbs/prices/show.ts'
import { weirBook } from './book-of-weir.ts'
import { at } from './usage.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-price-commands-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs the real program in an empty folder, with no configuration and no ledger. */
const weir = async (...words: string[]): Promise<Readonly<{ code: number; out: string; error: string }>> => {
  const env = { PATH: process.env['PATH'], COLUMNS: '400' }
  const run = promisify(execFile)
  try {
    const { stdout, stderr } = await run(process.execPath, [resolve('src/main.ts'), ...words], {
      cwd: folder,
      env,
      maxBuffer: 2 ** 26,
    })
    return { code: 0, out: stdout, error: stderr }
  } catch (failure) {
    const { code, stdout, stderr } = failure as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, error: stderr }
  }
}

describe('weir prices', () => {
  test('list shows the standard price of the moment, where long context begins, and the next change', () => {
    const rows = listModels(weirBook, at('2026-11-23'), { provider: 'google' }).filter(({ model }) =>
      /argon|2\.5-pro$/.test(model),
    )
    expect(renderList(rows, plain)).toBe(
      [
        'provider  model           input  output  cache read  cache write  long from  next change  from',
        'google    gemini-4-argon      2      10         0.1            –             2026-12-01   weir',
        'google    gemini-2.5-pro   1.25      10       0.125            –    200,001               weir',
      ].join('\n'),
    )
  })

  test('show tells what is in force at the moment and what is not any more', () => {
    const shown = (moment: string) =>
      renderShown(showModel(weirBook, 'gemini-4-argon', at(moment), 'google'), at(moment), plain)
        .split('\n')
        .filter((line) => / standard /.test(line) || line.startsWith('google/'))
        .map((line) => line.replace(/ {2,}/g, '  ').split('  ').slice(0, 6).join(' | '))
    expect(shown('2026-11-23')).toEqual([
      'google/gemini-4-argon on 2026-11-23, USD per million tokens: next change 2026-12-01 00:00:00 UTC',
      'in force | standard | – 2026-12-01 | 2 | 0.1 | 10',
      'future | standard | 2026-12-01 – | 4 | 0.2 | 20',
    ])
    expect(shown('2026-12-01').slice(1)).toEqual([
      'in force | standard | 2026-12-01 – | 4 | 0.2 | 20',
      'past | standard | – 2026-12-01 | 2 | 0.1 | 10',
    ])
  })

  test('show has every rate and every source on a terminal of 80 columns', () => {
    const shown = showModel(weirBook, 'claude-opus-5-5', at('2026-11-23'), 'anthropic')
    const lines = renderShown(shown, at('2026-11-23'), { ...plain, width: 80 }).split('\n')
    expect(lines[1]).toMatch(/^state +holds for +period +in +cache read +cache write +write 1h +out$/)
    expect(lines[2]).toMatch(/^in force +standard +2026-09-22 – +4 +0\.2 +5 +8 +20$/)
    expect(lines.find((line) => line.startsWith('  1  '))).toMatch(/^ {2}1 {2}weir, checked 2026-11-23: /)
    expect(lines.slice(1).filter((line) => line.length > 80)).toEqual([])
  })

  test('the program: list as JSON and CSV, check, diff, and an unknown model', async () => {
    const [json, csv, check, diff, unknown] = await Promise.all([
      weir('prices', 'list', '--provider', 'deepseek', '--at', '2026-11-23', '--json'),
      weir('prices', 'list', '--provider', 'deepseek', '--csv'),
      weir('prices', 'check', '--json'),
      weir('prices', 'diff', 'weir', 'genai-prices', '--provider', 'mistral', '--json'),
      weir('prices', 'show', 'gpt-6-soul'),
    ])
    expect((JSON.parse(json.out) as { prices: unknown[] }).prices[1]).toMatchObject({
      model: 'deepseek-flash',
      input: '0.15',
      layer: 'weir',
    })
    expect(csv.out.split('\r\n')[0]).toBe(
      'provider,model,input,output,cache_read,cache_write,long_from,next_change,layer',
    )
    expect((JSON.parse(check.out) as { rows: number }).rows).toBeGreaterThan(3000)
    const { differences } = JSON.parse(diff.out) as {
      differences: { model: string; a: string | null; b: string | null }[]
    }
    expect(differences.find(({ model }) => model === 'mistral-large-latest')).toMatchObject({ a: '0.5', b: '2' })
    expect(unknown).toMatchObject({ code: 1, out: '' })
    expect(unknown.error).toContain(
      'gpt-6-soul is not in the price book, so its calls are unpriced; did you mean gpt-6-sol?',
    )
  })

  test('a contract price of weir.yaml is on top', async () => {
    writeFileSync(
      join(folder, 'deal.yaml'),
      'prices:\n  - { provider: openai, models: [gpt-6-sol], rates: { in.text.fresh: "1.5" }, source: contract 4711 }\n',
    )
    const { out, error } = await weir('prices', 'list', '--provider', 'openai', '--config', 'deal.yaml', '--json')
    expect(error).toBe('')
    const { prices } = JSON.parse(out) as { prices: { model: string }[] }
    expect(prices.find(({ model }) => model === 'gpt-6-sol')).toMatchObject({
      input: '1.5',
      output: '10',
      layer: 'contract',
    })
  })
})

describe('weir tokens', () => {
  const tools = [{ name: 'get', description: 'gets', input_schema: { type: 'object' } }]
  const turn = (content: unknown, role = 'user') => ({ role, content })

  test.each([
    [
      'anthropic-messages',
      { model: 'claude-opus-5-5', system: 'terse', tools, messages: [turn('a'), turn('b', 'assistant'), turn('c')] },
      ['tools', 'system', 'history', 'user'],
    ],
    ['openai-chat', { model: 'gpt-6-sol', messages: [turn('terse', 'system'), turn('hello')] }, ['system', 'user']],
    ['openai-responses', { model: 'gpt-6-sol', instructions: 'terse', input: 'hello' }, ['system', 'user']],
    [
      'gemini-generate',
      { systemInstruction: { parts: [{ text: 'terse' }] }, contents: [{ role: 'user', parts: [{ text: 'hello' }] }] },
      ['system', 'user'],
    ],
    ['openai-embeddings', { model: 'text-embedding-3-small', input: ['a', 'b'] }, ['user']],
  ])('reads the parts of a body of %s', (wire, body, parts) => {
    const draft = readDraft(JSON.stringify(body))
    expect(draft.wire).toBe(wire)
    expect(countParts(draft.parts, (text) => text.length).map(({ part }) => part)).toEqual(parts)
  })

  test('reads past a byte order mark, and counts a document of text as text', () => {
    const source = { type: 'text', media_type: 'text/plain', data: 'hello' }
    const body = { model: 'claude-opus-5-5', messages: [turn([{ type: 'document', source }])] }
    expect(readDraft(`\uFEFF${JSON.stringify(body)}`)).toMatchObject({ wire: 'anthropic-messages' })
    expect(readDraft(JSON.stringify(body)).media).toBeUndefined()
    const pdf = { ...source, type: 'base64', media_type: 'application/pdf' }
    expect(readDraft(JSON.stringify({ ...body, messages: [turn([{ type: 'document', source: pdf }])] })).media).toBe(1)
  })

  test('takes whatever else as one text', () => {
    for (const text of ['hello', '{"a": 1}', '[1, 2]', '{"messages": 5}', '{broken'])
      expect(readDraft(text)).toEqual({ parts: [{ kind: 'user', text }] })
  })

  test('counts with the ratio of each model, and prices long context, cache reads and output', () => {
    const draft = { o200k_tokens: 100_000, output_tokens: 1000, at_us: at('2026-11-23'), ratios: ratios() }
    expect(quote(weirBook, 'claude-haiku-5-5', draft)).toEqual({
      provider: 'anthropic',
      model: 'claude-haiku-5-5',
      input_tokens: 140_000,
      input_usd: '0.07',
      cached_input_usd: '0.007',
      output_usd: '0.0025',
      total_usd: '0.0725',
      band_from: 100_001,
      in_band: true,
    })
    expect(quote(weirBook, 'gpt-6-sol', draft)).toMatchObject({
      input_tokens: 100_000,
      input_usd: '0.2',
      band_from: 272_001,
      in_band: false,
    })
    expect(quote(weirBook, 'nobody', draft)).toMatchObject({ provider: null, total_usd: null })
    expect(findModel(weirBook, 'openrouter/openai/gpt-6-sol')).toEqual({
      provider: 'openrouter',
      model: 'openai/gpt-6-sol',
    })
    expect(findModel(weirBook, 'openai/gpt-oss-120b')).toEqual({ provider: 'groq', model: 'openai/gpt-oss-120b' })
  })

  test('says what it cannot count, and which model it cannot price', async () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }
    writeFileSync(
      join(folder, 'picture.json'),
      JSON.stringify({ messages: [turn([{ type: 'text', text: 'a' }, image])] }),
    )
    const { out } = await weir('tokens', 'picture.json', '--models', 'gpt-6-luma,gpt-6-luna')
    expect(out).toContain('1 image, sound or file is not in the count')
    expect(out).toContain('gpt-6-luma is not in the price book: weir prices list shows all')
    expect(out).not.toContain('gpt-6-luna is not')
  })

  test('names the threshold at which the price really changes, not one of a row that is shadowed', async () => {
    const { out } = await weir('tokens', 'picture.json', '--models', 'gpt-5.5', '--json')
    const [model] = (JSON.parse(out) as { models: { band_from: number }[] }).models
    expect(model?.band_from).toBe(272_001)
  })

  test('the program reads a file or standard input, special tokens and long unbroken runs included', async () => {
    writeFileSync(join(folder, 'draft.txt'), `<|endoftext|> ${'ab'.repeat(40_000)}`)
    const { out, code } = await weir('tokens', 'draft.txt', '--models', 'gpt-6-luna', '--output', '10', '--json')
    expect(code).toBe(0)
    const answer = JSON.parse(out) as { o200k_tokens: number; models: { input_tokens: number }[] }
    expect(answer.o200k_tokens).toBeGreaterThan(5000)
    expect(answer.models[0]?.input_tokens).toBe(answer.o200k_tokens)
    expect(answer).toMatchObject({ not_counted: 0 })
    const missing = "weir: cannot read none.txt: ENOENT: no such file or directory, open 'none.txt'\n"
    expect(await weir('tokens', 'none.txt')).toMatchObject({ code: 2, error: missing })
  })
})
