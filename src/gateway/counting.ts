/** Counts tokens, in a worker. */
import { enableCompileCache } from 'node:module'
import { parentPort } from 'node:worker_threads'

// Like the main thread's (src/main.ts), which a worker does not inherit.
enableCompileCache()
const { connect } = await import('./remote.ts')
const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base')

/** A prompt may hold `<|endoftext|>` as text: it counts as the text that it is. */
const options = { disallowedSpecial: new Set<string>() }

if (parentPort)
  connect(parentPort, { count: (texts: readonly string[]) => texts.map((text) => countTokens(text, options)) })
