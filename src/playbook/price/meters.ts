import type { Bucket, Meter, Modality, Unit } from '../../core/usage.ts'

const modalities: readonly Modality[] = ['text', 'audio', 'image', 'video', 'document']
const inputs = ['fresh', 'cache_read', 'cache_write', 'cache_write_5m', 'cache_write_1h', 'tool'] as const
const outputs = ['visible', 'reasoning', 'citation', 'prediction_rejected'] as const

/** Every token class, input first. */
export const buckets: readonly Bucket[] = modalities.flatMap((modality) => [
  ...inputs.map((kind): Bucket => `in.${modality}.${kind}`),
  ...outputs.map((kind): Bucket => `out.${modality}.${kind}`),
])

const everyUnit: Readonly<Record<Unit, true>> = {
  'web_search.query': true,
  'web_search.grounded_prompt': true,
  'web_search.request': true,
  'x_search.call': true,
  'file_search.call': true,
  'server_tool.call': true,
  'maps.query': true,
  'code_exec.session': true,
  'container.second': true,
  request: true,
  'rerank.search_unit': true,
  'ocr.page': true,
  'audio_in.second': true,
  'audio_out.second': true,
  'tts.char': true,
  'image.generated': true,
  'video.second': true,
  'embed.image': true,
  classification: true,
  'cache_storage.token_5m': true,
  'cache_storage.token_hour': true,
  'guardrail.text_unit': true,
  'provisioned.unit_hour': true,
  'router.token': true,
}

/** Everything that is billed by the piece. */
export const units = Object.keys(everyUnit) as readonly Unit[]

const known: ReadonlySet<string> = new Set<string>([...buckets, ...units])

export const isMeter = (name: string): name is Meter => known.has(name)
export const isBucket = (name: string): name is Bucket => /^(in|out)\./.test(name) && known.has(name)

/** Where else a rate is looked for; `inherited` says that a modality takes the price of text, which earns a warning. */
export type Fallback = Readonly<{ meter: Bucket; inherited: boolean }>

/** The class whose price stands in, within one modality. One-hour cache writes have none: never silently the 5-minute price. */
const standsIn: Readonly<Record<string, string>> = {
  cache_write_5m: 'cache_write',
  tool: 'fresh',
  reasoning: 'visible',
  citation: 'visible',
  prediction_rejected: 'visible',
}

const chainOf = (bucket: Bucket): Fallback[] => {
  const [direction = '', modality = '', kind = ''] = bucket.split('.')
  const other = standsIn[kind]
  const kinds = other === undefined ? [kind] : [kind, other]
  const places = modality === 'text' ? ['text'] : [modality, 'text']
  return places.flatMap((place) =>
    kinds.map((name) => ({ meter: `${direction}.${place}.${name}` as Bucket, inherited: place !== modality })),
  )
}

const chains = new Map<Bucket, readonly Fallback[]>(buckets.map((bucket) => [bucket, chainOf(bucket)]))

/**
 * The meters under which a token class may be priced in one row, best first: itself; 5-minute cache write as cache write;
 * reasoning, citation and rejected prediction as visible output; tool input as fresh input; then the same of text.
 */
export const fallbacks = (bucket: Bucket): readonly Fallback[] => chains.get(bucket) ?? []

const isInput = (meter: string) => meter.startsWith('in.')
const isOutput = (meter: string) => meter.startsWith('out.')

/** Which sum of `Priced` a meter belongs to. */
export const sideOf = (meter: string): 'input' | 'output' | 'fees' =>
  isInput(meter) ? 'input' : isOutput(meter) ? 'output' : 'fees'
