import type { Embedder } from '../../core/lever.ts'
import type { EmbedderSettings } from '../../core/settings.ts'
import type { Errands } from '../errand.ts'
import { localEmbedder } from './local-embedder.ts'

type Embeddings = Readonly<{ data?: readonly Readonly<{ embedding?: readonly number[]; index?: number }>[] }>

/** As long as one, so that a product of two is the cosine between them. */
const unit = (values: Iterable<number>): Float32Array => {
  const vector = Float32Array.from(values)
  let square = 0
  for (const value of vector) square += value * value
  const length = Math.sqrt(square) || 1
  return vector.map((value) => value / length)
}

const vectorsOf = (answer: unknown, count: number): Float32Array[] => {
  const { data = [] } = answer as Embeddings
  const vectors = data.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0)).map(({ embedding = [] }) => unit(embedding))
  if (vectors.length === count && vectors.every(({ length }) => length > 0)) return vectors
  throw new Error(`the embedder gave ${vectors.length} vectors for ${count} texts`)
}

/** The embedder that the configuration names: a model behind a provider's `/v1/embeddings`, or one on this machine. */
export const openEmbedder = (settings: EmbedderSettings, errands: Errands): Embedder => {
  if ('local' in settings) return localEmbedder(settings)
  const { provider, model, deadline_ms } = settings
  return {
    name: `${provider}/${model}`,
    deadline_ms,
    async embed(texts) {
      const body = { model, input: texts, encoding_format: 'float' }
      return vectorsOf(await errands.run({ provider, path: '/v1/embeddings', body, deadline_ms }), texts.length)
    },
  }
}
