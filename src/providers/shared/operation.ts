/** What a call asks for, cut from the path of one provider to be put under the root of another. */

/** Wire by wire: the part of a path that follows the root. The default is used where the client's path has its own form. */
const operations: Readonly<Record<string, Readonly<{ pattern: RegExp; plain: string }>>> = {
  'openai-chat': { pattern: /\/chat\/completions(\/[^/]+)*$/, plain: '/chat/completions' },
  'openai-completions': { pattern: /(\/fim)?\/completions$/, plain: '/completions' },
  'openai-responses': { pattern: /\/responses(\/[^/]+)*$/, plain: '/responses' },
  'openai-embeddings': { pattern: /\/embeddings$/, plain: '/embeddings' },
  'openai-images': { pattern: /\/images\/[a-z]+$/, plain: '/images/generations' },
  'openai-audio': { pattern: /\/audio\/[a-z]+$/, plain: '/audio/transcriptions' },
  'openai-batches': { pattern: /\/files\/[^/]+\/content$/, plain: '/files' },
  'anthropic-messages': { pattern: /\/messages(\/[^/]+)*$/, plain: '/messages' },
  'cohere-chat': { pattern: /\/chat$/, plain: '/chat' },
  'cohere-embed': { pattern: /\/embed$/, plain: '/embed' },
  'snowflake-complete': { pattern: /\/inference:complete$/, plain: '/inference:complete' },
  'mistral-ocr': { pattern: /\/ocr$/, plain: '/ocr' },
  rerank: { pattern: /\/rerank$/, plain: '/rerank' },
}

/** The operation as a path that begins with `/`, e.g. `/chat/completions`; for a call without a wire, its path without version. */
export const operationOf = (wire: string | undefined, path: string): string => {
  const known = wire === undefined ? undefined : operations[wire]
  if (known === undefined) return path.replace(/^(\/v\d+[a-z0-9]*)+(?=\/)/, '')
  return known.pattern.exec(path)?.[0] ?? known.plain
}
