import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { WeirError } from '../../core/errors.ts'
import type { Kit } from '../../core/lever.ts'
import type { CompressorSettings } from '../../core/settings.ts'

type Compress = (text: string, share: number) => Promise<string>

/** What is used of `@atjsh/llmlingua-2` 3: Weir does not depend on it, so its types are not there. */
type Factory = (
  model: string,
  options: Readonly<{
    transformerJSConfig: Readonly<{ device: string; dtype: string }>
    oaiTokenizer: Readonly<{ encode(text: string): number[] }>
    pretrainedConfig: unknown
    pretrainedTokenizerOptions: Readonly<{ local_files_only: true }>
    modelSpecificOptions: Readonly<{ local_files_only: true }>
  }>,
) => Promise<{ promptCompressor: { compress(text: string, options: Readonly<{ rate: number }>): Promise<string> } }>
type Package = Readonly<{ LLMLingua2: Readonly<{ WithXLMRoBERTa: Factory; WithBERTMultilingual: Factory }> }>

const PACKAGE = '@atjsh/llmlingua-2'
const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', join('onnx', 'model.onnx')]

const refused = (folder: string, why: string) =>
  new WeirError(
    'bad-config',
    `services.compressor.folder: ${why} in ${folder}. See docs/compact.md for what a model's folder holds.`,
  )

/** Throws `bad-config` where a file of the model is not there: nothing is ever fetched. */
const checkFiles = (folder: string): void => {
  const missing = FILES.filter((file) => !existsSync(join(folder, file)))
  if (missing.length > 0) throw refused(folder, `there is no ${missing.join(', no ')}`)
}

/** A package that is installed beside the model (in a folder above it), or else beside Weir. */
const importFrom = async (folder: string, name: string): Promise<unknown> => {
  for (const place of [join(folder, 'config.json'), import.meta.url]) {
    try {
      return await import(pathToFileURL(createRequire(place).resolve(name)).href)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  throw refused(folder, `the package ${name} cannot be found from Weir, nor`)
}

const factoryFor = ({ LLMLingua2 }: Package, type: unknown, folder: string): Factory => {
  if (type === 'xlm-roberta') return LLMLingua2.WithXLMRoBERTa
  if (type === 'bert') return LLMLingua2.WithBERTMultilingual
  throw refused(folder, `a model of the type ${String(type)} cannot compress; expected bert or xlm-roberta`)
}

/** Loads a LLMLingua-2 model from a folder on disk. Throws `bad-config` that names what is missing. */
const load = async (folder: string): Promise<Compress> => {
  checkFiles(folder)
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Readonly<Record<string, unknown>>
  const lingua = (await importFrom(folder, PACKAGE)) as Package
  const make = factoryFor(lingua, config['model_type'], folder)
  const { encode } = await import('gpt-tokenizer')
  // A path that begins with / is no name of a model on a hub, so nothing is looked for elsewhere.
  const { promptCompressor } = await make(folder, {
    transformerJSConfig: { device: 'cpu', dtype: 'fp32' },
    oaiTokenizer: { encode: (text) => encode(text) },
    pretrainedConfig: config,
    pretrainedTokenizerOptions: { local_files_only: true },
    modelSpecificOptions: { local_files_only: true },
  })
  return (text, rate) => promptCompressor.compress(text, { rate })
}

/**
 * Opens the compressor: LLMLingua-2 (`@atjsh/llmlingua-2`), loaded on the first text and from disk alone. A folder whose
 * model cannot be loaded is not tried again before a restart; every text then fails with the reason.
 */
export const openCompressor = ({ folder }: CompressorSettings): NonNullable<Kit['compress']> => {
  let loading: Promise<Compress> | undefined
  return async (text, share) => {
    loading ??= load(folder)
    return (await loading)(text, share)
  }
}
