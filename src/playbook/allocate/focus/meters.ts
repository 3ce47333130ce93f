/**
 * What a meter is called on a FOCUS row, and in which units it is counted and priced. After the foundation's examples of
 * token billing (FOCUS_Spec specification/data/ai_prompt_caching, ai_billing): reasoning is output, a cached token counts
 * on the cache's row only.
 */
import { isMeter, type Meter, type Unit } from '../../../core/usage.ts'
import { multiplyDecimal } from '../../price/decimal.ts'

export type Direction = 'Input' | 'Output'
export type CacheAction = 'Uncached' | 'Read' | 'Write'

export type SkuMeter = Readonly<{
  /** What the SkuId ends with. */
  suffix: string
  /** SkuMeter. */
  name: string
  consumed_unit: string
  pricing_unit: string
  /** Consumed units in one of the meter, decimal. */
  consumed: string
  /** Pricing units in one consumed unit, decimal. */
  priced: string
  /** Pricing units' price in US dollars is the rate (US dollars per million) times this. */
  price: string
  direction?: Direction
  cache?: CacheAction
  cache_ttl?: '5m' | '1h'
  modality?: string
}>

const MILLIONTH = '0.000001'

const byMillion = { consumed: '1', priced: MILLIONTH, price: '1' } as const
const byPiece = { consumed: '1', priced: '1', price: MILLIONTH } as const

/** Units of piece meters are priced by the piece, so that a unit needs no quantity before a hyphen: `1000000 Token-Hours` fails the official validator. */
const pieces: Readonly<Record<Unit, readonly [suffix: string, name: string, unit: string]>> = {
  'web_search.query': ['web-search', 'Web Search Queries', 'Queries'],
  'web_search.grounded_prompt': ['grounded-prompt', 'Grounded Prompts', 'Requests'],
  'web_search.request': ['web-search-request', 'Web Search Requests', 'Requests'],
  'x_search.call': ['x-search', 'X Search Calls', 'Requests'],
  'file_search.call': ['file-search', 'File Search Calls', 'Requests'],
  'server_tool.call': ['server-tool', 'Server Tool Calls', 'Requests'],
  'maps.query': ['maps', 'Maps Queries', 'Queries'],
  'code_exec.session': ['code-execution', 'Code Execution Sessions', 'Sessions'],
  'container.second': ['container', 'Container Time', 'Seconds'],
  request: ['request', 'Requests', 'Requests'],
  'rerank.search_unit': ['rerank', 'Rerank Searches', 'Units'],
  'ocr.page': ['ocr', 'Pages Read', 'Pages'],
  'audio_in.second': ['audio-input-time', 'Audio Input Time', 'Seconds'],
  'audio_out.second': ['audio-output-time', 'Audio Output Time', 'Seconds'],
  'tts.char': ['speech', 'Speech Characters', 'Characters'],
  'image.generated': ['image-generation', 'Images Generated', 'Images'],
  'video.second': ['video-generation', 'Video Generated', 'Seconds'],
  'embed.image': ['image-embedding', 'Images Embedded', 'Images'],
  classification: ['classification', 'Classifications', 'Requests'],
  'cache_storage.token_5m': ['context-cache-storage', 'Context Cache Storage', 'Token-Minutes'],
  'cache_storage.token_hour': ['context-cache-storage', 'Context Cache Storage', 'Token-Hours'],
  'guardrail.text_unit': ['guardrail', 'Guardrail Text Units', 'Units'],
  'provisioned.unit_hour': ['provisioned', 'Provisioned Throughput', 'Unit-Hours'],
  'router.token': ['router', 'Router Tokens', 'Tokens'],
}

const inMillions: ReadonlySet<string> = new Set<Unit>(['tts.char', 'router.token'])

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

type Class = Readonly<{ suffix: string; name: string; cache?: CacheAction; cache_ttl?: '5m' | '1h' }>

const inputs: Readonly<Record<string, Class>> = {
  fresh: { suffix: 'input', name: 'Input Tokens', cache: 'Uncached' },
  tool: { suffix: 'input', name: 'Input Tokens', cache: 'Uncached' },
  cache_read: { suffix: 'cached-input', name: 'Cached Input Tokens', cache: 'Read' },
  cache_write: { suffix: 'cache-write', name: 'Cache Write Input Tokens', cache: 'Write' },
  cache_write_5m: { suffix: 'cache-write', name: 'Cache Write Input Tokens', cache: 'Write' },
  cache_write_1h: {
    suffix: 'cache-write-1h',
    name: 'Cache Write Input Tokens (1 Hour)',
    cache: 'Write',
    cache_ttl: '1h',
  },
}

const tokenMeter = (meter: string): SkuMeter => {
  const [side, modality = 'text', kind = ''] = meter.split('.')
  const tokens = { consumed_unit: 'Tokens', pricing_unit: '1000000 Tokens', ...byMillion }
  const class_ =
    side === 'out' ? { suffix: 'output', name: 'Output Tokens' } : (inputs[kind] ?? { suffix: kind, name: kind })
  const other = modality === 'text' ? {} : { modality }
  return {
    ...class_,
    ...(modality === 'text'
      ? {}
      : { suffix: `${modality}-${class_.suffix}`, name: `${capital(modality)} ${class_.name}` }),
    ...tokens,
    direction: side === 'out' ? 'Output' : 'Input',
    ...other,
  }
}

const pieceMeter = (unit: Unit): SkuMeter => {
  const [suffix, name, counted] = pieces[unit]
  const of = { suffix, name, consumed_unit: counted }
  if (inMillions.has(unit)) return { ...of, pricing_unit: `1000000 ${counted}`, ...byMillion }
  if (unit !== 'cache_storage.token_5m') return { ...of, pricing_unit: counted, ...byPiece }
  // A unit of five minutes is five token-minutes, each at a fifth of the price.
  return { ...of, pricing_unit: counted, ...byPiece, consumed: '5', price: multiplyDecimal(MILLIONTH, '0.2') }
}

/** A charge that no meter explains is priced by the dollar, so that quantity × price is the cost, exactly. */
const wholeCharge: SkuMeter = {
  suffix: 'charge',
  name: 'Charges Without A Meter',
  consumed_unit: 'Requests',
  pricing_unit: 'US Dollars',
  consumed: '1',
  priced: '1',
  price: '1',
}

const known = new Map<string, SkuMeter>()

/** The SKU meter of a meter; null is a charge without one. */
export const skuMeterOf = (meter: string | null): SkuMeter => {
  if (meter === null || !isMeter(meter)) return wholeCharge
  const found = known.get(meter) ?? (/^(in|out)\./.test(meter) ? tokenMeter(meter) : pieceMeter(meter as Unit))
  known.set(meter, found)
  return found
}

export type ReadSku = Readonly<{
  direction?: string | undefined
  cache?: string | undefined
  ttl?: string | undefined
  modality?: string | undefined
  /** SkuMeter, or where it is absent the SkuId or description. */
  name: string
}>

const modalities = /audio|image|video|document/i

const directionOf = ({ direction, name }: ReadSku): Direction | undefined => {
  if (direction === 'Input' || direction === 'Output') return direction
  if (/output|completion|reasoning/i.test(name)) return 'Output'
  return /input|prompt|cache/i.test(name) ? 'Input' : undefined
}

const cacheOf = ({ cache, ttl, name }: ReadSku): string => {
  if (cache === 'Read' || (cache === undefined && /cached|cache[ -]?(read|hit)/i.test(name))) return 'cache_read'
  if (cache === 'Write' || (cache === undefined && /cache[ -]?(write|creation)/i.test(name)))
    return ttl === '1h' || /1[ -]?h/i.test(name) ? 'cache_write_1h' : 'cache_write'
  return 'fresh'
}

/** The token class that a FOCUS row counts, by its token keys or else by its name; undefined when neither says. */
export const tokenClassOf = (sku: ReadSku): Meter | undefined => {
  const direction = directionOf(sku)
  if (direction === undefined) return undefined
  const modality = (sku.modality ?? modalities.exec(sku.name)?.[0] ?? 'text').toLowerCase()
  const meter = direction === 'Output' ? `out.${modality}.visible` : `in.${modality}.${cacheOf(sku)}`
  return isMeter(meter) ? meter : undefined
}
