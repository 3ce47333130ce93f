import type { Embedder } from '../../core/lever.ts'
import type { LocalEmbedderSettings } from '../../core/settings.ts'

type Tensor = Readonly<{ data: Float32Array; dims: readonly number[] }>
type Extractor = (texts: readonly string[], options: object) => Promise<Tensor>

/** What is used of `@huggingface/transformers`. It is not installed with Weir: who wants it, adds it. */
type Transformers = Readonly<{
  env: { allowRemoteModels: boolean; localModelPath: string }
  pipeline(task: 'feature-extraction', model: string, options: object): Promise<Extractor>
}>

const PACKAGE = '@huggingface/transformers'

const load = async (): Promise<Transformers> => {
  try {
    return (await import(PACKAGE)) as Transformers
  } catch (cause) {
    throw new Error(`services.embedder.local needs the package ${PACKAGE}: npm install ${PACKAGE}`, { cause })
  }
}

const openExtractor = async ({ local, folder }: LocalEmbedderSettings): Promise<Extractor> => {
  const { env, pipeline } = await load()
  if (folder !== undefined) {
    env.localModelPath = folder
    env.allowRemoteModels = false
  }
  return pipeline('feature-extraction', local, { dtype: 'q8' })
}

/** The deadline holds for one lookup; loading the model, which takes longer, goes on beside it. */
const within = <T>(work: Promise<T>, deadline_ms: number): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the embedder took longer than ${deadline_ms} ms`)), deadline_ms)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })

/**
 * An ONNX model on this machine: from `folder`, or fetched once by its name. It is loaded with the first question; a load that failed
 * is tried again with a later one.
 */
export const localEmbedder = (settings: LocalEmbedderSettings): Embedder => {
  let extractor: Promise<Extractor> | undefined
  const opened = (): Promise<Extractor> => {
    extractor ??= openExtractor(settings).catch((error: unknown) => {
      extractor = undefined
      throw error
    })
    return extractor
  }
  const embed = async (texts: readonly string[]): Promise<Float32Array[]> => {
    const extract = await opened()
    const { data, dims } = await extract(texts, { pooling: 'mean', normalize: true })
    const width = dims.at(-1) ?? 0
    return texts.map((_, index) => data.slice(index * width, (index + 1) * width))
  }
  const { local: name, deadline_ms } = settings
  return { name, deadline_ms, embed: (texts) => within(embed(texts), deadline_ms) }
}
