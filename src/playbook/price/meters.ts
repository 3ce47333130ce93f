import { type Bucket, buckets } from '../../core/usage.ts'

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
