/** Files of calls as other tools write them: marks, short rows, names that say nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { meterBody } from '../../src/cli/import/meter.ts'
import type { Imported, ImportOptions } from '../../src/core/importer.ts'
import { importer } from '../../src/importers/calls.ts'
import { compileBook } from '../../src/playbook/price/book.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-odd-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const options: ImportOptions = {
  payer: {},
  columns: {},
  epoch_us: 0,
  book: compileBook({ rows: [], version: 'test' }),
  meter: meterBody,
}

const read = async (name: string, content: string) => {
  const path = join(folder, name)
  writeFileSync(path, content)
  const found: Imported[] = []
  for await (const row of importer.read(path, options, () => {})) found.push(row)
  return { calls: found.filter((row) => 'receipt' in row).length, bad: found.filter((row) => 'bad' in row) }
}

const call = { started_at: '2026-11-03', provider: 'openai', model: 'gpt-4o', input_tokens: 10, output_tokens: 5 }
const line = `${JSON.stringify(call)}\n`
const head = Object.keys(call).join(',')
const values = Object.values(call).join(',')

test('a mark of the byte order before the first line costs no row', async () => {
  expect(await read('marked.jsonl', `\uFEFF${line}`)).toEqual({ calls: 1, bad: [] })
  expect(await read('marked.csv', `\uFEFF${head}\r\n${values}\r\n`)).toEqual({ calls: 1, bad: [] })
})

test('a row that is cut short is a bad row, also the first, and never a call of fewer tokens', async () => {
  expect(await read('short.csv', `${head}\n2026-11-03,openai,gpt-4o\n${values}\n2026-11-03,openai,gpt-4o,1\n`)).toEqual(
    {
      calls: 1,
      bad: [
        { bad: 'the row has 3 of 5 columns', line: 2 },
        { bad: 'the row has 4 of 5 columns', line: 4 },
      ],
    },
  )
  expect(await read('cached.csv', `${head},cache_read_tokens\n${values}\n`)).toEqual({
    calls: 0,
    bad: [{ bad: 'the row has 5 of 6 columns', line: 2 }],
  })
  // A name that comes twice is no row that is short.
  expect(await read('twice.csv', `note,note,${head}\nx,y,${values}\n`)).toEqual({ calls: 1, bad: [] })
  // What nobody reads may be left out at the end.
  expect(await read('long.csv', `${head},note\n${values}\n`)).toEqual({ calls: 1, bad: [] })
})

test('lines of JSON are known by what they begin with, and one value of JSON is refused with what to do', async () => {
  expect(await read('calls.log', `\n${line}${line}`)).toEqual({ calls: 2, bad: [] })
  for (const [name, text] of [
    ['list.json', JSON.stringify([call])],
    ['list.jsonl', JSON.stringify([call], null, 2)],
  ] as const)
    await expect(read(name, text)).rejects.toThrow(/list\.jsonl?: .*write a call a line/)
})
