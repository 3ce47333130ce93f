/** Names in prices that are not as they were meant are told, for a price that holds for no call is silent. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadBook } from '../../src/catalogs/load.ts'
import { strayPrices } from '../../src/config/strays.ts'
import { loadSettings } from '../../src/config.ts'
import { providers } from '../../src/providers/index.ts'

const cwd = mkdtempSync(join(tmpdir(), 'weir-strays-'))
afterAll(() => rmSync(cwd, { recursive: true }))

const straysOf = async (text: string) => {
  writeFileSync(join(cwd, 'weir.yaml'), text)
  const settings = loadSettings({ cwd, env: {}, flags: {}, providers })
  const { rows } = await loadBook(settings.prices)
  return strayPrices(rows, settings).map(({ row, says }) => `${row}: ${says}`)
}

const price = (provider: string, model: string): string =>
  `  - { provider: ${provider}, models: [${model}], rates: { in.text.fresh: 1 }, source: contract }\n`

test('a contract price of a provider or model that is misspelt is told with what was meant', async () => {
  expect(await straysOf(`prices:\n${price('openaii', 'gpt-5.5')}${price('openai', 'gtp-5.5')}`)).toEqual([
    'contract/openaii/gpt-5.5@always: no call is priced as openaii: did you mean openai?',
    'contract/openai/gtp-5.5@always: no file knows gtp-5.5: did you mean gpt-5.5?',
  ])
})

test('a provider that is priced as something that no price names is told', async () => {
  const here = 'providers:\n  eu: { adapter: openai, base_url: "http://127.0.0.1:1/v1"'
  expect(await straysOf(`${here}, price_as: eu }\nprices:\n${price('eu', 'gpt-5.5')}`)).toEqual([])
  expect(await straysOf(`${here}, price_as: opnai }\n`)).toEqual([
    'providers.eu.price_as: no price is of opnai: did you mean openai?',
  ])
})

test('a model of one’s own, and a version that our files do not know yet, are taken at their word', async () => {
  const own = price('openai-compatible', 'our-llama') + price('openai', 'gpt-9.9-sol') + price('anthropic', 'our-model')
  const here = 'providers:\n  ours: { adapter: openai-compatible, base_url: "http://127.0.0.1:1/v1" }\n'
  expect(await straysOf(`${here}prices:\n${own}`)).toEqual([])
})
