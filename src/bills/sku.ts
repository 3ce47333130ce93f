import { inputKinds, type TokenKind } from '../core/bill.ts'

/** What a meter's name says: a model in the bill's own words, kinds of tokens, and the tier where it names one. */
export type Sku = Readonly<{ model: string; kinds: readonly TokenKind[]; tier: string | null }>

const has = (words: ReadonlySet<string>, ...some: readonly string[]): boolean => some.some((word) => words.has(word))

const inputWords = ['input', 'inp', 'inpt', 'in']
const outputWords = ['output', 'outp', 'outpt', 'opt', 'out']
const cacheWords = ['cache', 'cached', 'caching', 'cchd', 'cd']
const writeWords = ['write', 'writes', 'wr', 'wrt']

/** Words of a meter's name that are about the meter and not about the model. */
const about = new Set([
  ...[...inputWords, ...outputWords, ...cacheWords, ...writeWords, 'read', 'rd', 'hit'],
  ...['token', 'tokens', 'count', 'generate', 'content', 'generatecontent', 'embedcontent', 'for', 'predictions'],
  ...['ga', 'thinking', 'short', 'long', 'context', 'modality'],
  ...[
    'glbl',
    'gl',
    'global',
    'regnl',
    'rgnl',
    'regional',
    'dz',
    'dzone',
    'datazone',
    'data',
    'zone',
    '1m',
    '1k',
    '1h',
    '5m',
  ],
  ...['batch', 'bat', 'flex', 'priority', 'prty', 'standard', 'std'],
])

/** What went in or came out; of an embedding model it is a part of the name. */
const modality = new Set(['text', 'txt', 'audio', 'aud', 'image', 'img', 'video'])

const tierIn = (words: ReadonlySet<string>): string | null => {
  if (has(words, 'batch', 'bat')) return 'batch'
  if (has(words, 'priority', 'prty')) return 'priority'
  return has(words, 'flex') ? 'flex' : null
}

const kindsIn = (words: ReadonlySet<string>): readonly TokenKind[] | undefined => {
  if (has(words, 'storage')) return undefined
  if (has(words, ...cacheWords) && has(words, ...writeWords)) {
    if (has(words, '1h')) return ['cache_write_1h']
    return has(words, '5m') ? ['cache_write'] : ['cache_write', 'cache_write_1h']
  }
  if (has(words, ...cacheWords)) return ['cache_read']
  if (has(words, ...outputWords)) return ['output']
  return has(words, ...inputWords) ? ['input'] : undefined
}

/**
 * Reads a meter's name written in words, as Google's and Microsoft's bills do (`Gemini 3.7 Flash Text Input - Predictions`,
 * `gpt-4o-0806-Inp-glbl Tokens`). Undefined where it names no kind of token: then it is a fee.
 */
export const skuOf = (name: string): Sku | undefined => {
  const pieces = name.split(/[\s_(),/-]+/).filter((piece) => piece !== '')
  const words = new Set(pieces.map((piece) => piece.toLowerCase()))
  const embedding = has(words, 'embedding', 'embeddings', 'embed', 'ada') && has(words, 'token', 'tokens')
  const kinds = kindsIn(words) ?? (embedding ? inputKinds : undefined)
  const isName = (word: string): boolean => !about.has(word) && (embedding || !modality.has(word))
  const model = pieces.filter((piece) => isName(piece.toLowerCase())).join(' ')
  return kinds === undefined || model === '' ? undefined : { model, kinds, tier: tierIn(words) }
}
