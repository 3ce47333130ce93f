import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadBook } from '../../src/catalogs/load.ts'
import { formatUsd, parseUsd, picodollars } from '../../src/core/money.ts'
import { isBucket, type Meter, type Unit, type UnitCount, type UsageLine } from '../../src/core/usage.ts'
import { compileBook } from '../../src/playbook/price/book.ts'
import { price } from '../../src/playbook/price/price.ts'
import { at, line, usage } from './usage.ts'

const manifest = '../shared/data/wire-fixtures/MANIFEST.tsv'
const present = existsSync(manifest)
const book = compileBook(await loadBook())

const providers: Readonly<Record<string, string>> = {
  bedrock: 'aws-bedrock',
  vertex: 'vertex-ai',
  xai: 'x-ai',
  azure: 'azure-openai',
  'gateway(anthropic)': 'anthropic',
  'gateway(openai)': 'openai',
}

const meters: Readonly<Record<string, Meter>> = {
  in: 'in.text.fresh',
  in_audio: 'in.audio.fresh',
  in_image: 'in.image.fresh',
  in_video: 'in.video.fresh',
  cr: 'in.text.cache_read',
  cr_audio: 'in.audio.cache_read',
  cr_video: 'in.video.cache_read',
  cw: 'in.text.cache_write',
  cw5m: 'in.text.cache_write_5m',
  cw1h: 'in.text.cache_write_1h',
  cw_storage: 'cache_storage.token_5m',
  tool_in: 'in.text.tool',
  out: 'out.text.visible',
  out_reasoning: 'out.text.reasoning',
  web_search: 'web_search.query',
  file_search: 'file_search.call',
}

/** The moment at which the manifest's rates were in force: before the cuts of summer 2026. */
const moment = '2026-07-20T12:00Z'

type Counts = Readonly<Record<string, number | string>>

const lineOf = (counts: Counts, tier: 'flex' | undefined): UsageLine => {
  const tokens: Record<string, number> = {}
  const units: Partial<Record<Unit, UnitCount>> = {}
  for (const [name, n] of Object.entries(counts)) {
    const meter = meters[name]
    if (typeof n !== 'number') continue
    if (name === 'request_fee_low') units['request'] = { n, attrs: { search_context_size: 'low' } }
    else if (meter && isBucket(meter)) tokens[meter] = n
    else if (meter) units[meter as Unit] = { n }
    else if (name !== 'other_usd') throw new Error(`the manifest has a new bucket: ${name}`)
  }
  const other = counts['other_usd']
  return line(tokens, {
    units,
    ...(tier === undefined ? {} : { service_tier: tier }),
    ...(other === undefined ? {} : { other_usd: String(other) }),
  })
}

const rows = present
  ? readFileSync(manifest, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((text) => {
        const [file = '', provider = '', , model = '', , buckets = '', derived = ''] = text.split('\t')
        return { file, provider: providers[provider] ?? provider, model, buckets, derived }
      })
      .filter(({ derived }) => derived !== '')
  : []

describe.skipIf(!present)('recorded calls, priced by the book (skipped where ../shared/data is absent)', () => {
  test('are thirty-three whose bill is known', () => {
    expect(rows).toHaveLength(33)
  })

  test.each(rows)('$file costs $derived', ({ file, provider, model, buckets, derived }) => {
    const parsed = JSON.parse(buckets) as Counts | Counts[]
    const tier = file.includes('flex') ? 'flex' : undefined
    const lines = [parsed].flat().map((counts) => lineOf(counts, tier))
    const { cost } = price({ provider, model, at_us: at(moment), usage: usage(lines) }, book)
    expect(cost).not.toBeNull()
    // The manifest writes at most twelve digits of a repeating decimal: ten picodollars either way.
    const difference = (cost ?? picodollars(0n)) - parseUsd(derived)
    expect(difference < 0n ? -difference : difference, `${cost && formatUsd(cost)}`).toBeLessThanOrEqual(10n)
  })
})
