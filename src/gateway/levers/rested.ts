import { WeirError } from '../../core/errors.ts'
import type { Embedder } from '../../core/lever.ts'
import type { Breaker } from '../../core/settings.ts'
import { createBreakers } from '../breaker.ts'

const widthOf = (vectors: readonly Float32Array[]): number => {
  const width = vectors[0]?.length ?? 0
  if (vectors.every((vector) => vector.length === width && vector.every(Number.isFinite))) return width
  throw new Error('the embedder gave vectors of several lengths, or with values that are no numbers')
}

/**
 * An embedder that failed several times in a row is left alone for a while, as a provider is: every call would wait out its deadline
 * for nothing. Vectors that cannot be compared with those before are failures, too.
 */
export const rested = (embedder: Embedder, settings: Breaker, now_us: () => number): Embedder => {
  const { name } = embedder
  const circuit = createBreakers(settings, now_us)
  let width: number | undefined
  const checked = (vectors: readonly Float32Array[]): readonly Float32Array[] => {
    const found = widthOf(vectors)
    width ??= found
    if (found === width) return vectors
    throw new Error(`the embedder gave vectors of ${found} values, after some of ${width}`)
  }
  return {
    ...embedder,
    async embed(texts) {
      if (!circuit.allows(name))
        throw new WeirError('circuit-open', 'the embedder failed repeatedly, and is not asked for now')
      try {
        const vectors = checked(await embedder.embed(texts))
        circuit.succeeded(name)
        return vectors
      } catch (error) {
        circuit.failed(name)
        throw error
      }
    },
  }
}
