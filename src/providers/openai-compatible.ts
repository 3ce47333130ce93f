import type { Provider } from '../core/provider.ts'
import { claim } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'openai-chat': '',
  'openai-completions': '',
  'openai-responses': '',
  'openai-embeddings': '',
  'openai-images': '',
  'openai-audio': '',
  'anthropic-messages': '',
  rerank: '',
}

/** Gateways state a cost in a field of their own; a server that states none has none to read. */
const gateway = { stated_cost: 'gateway' } as const

/**
 * Any server that speaks OpenAI's formats under a configured `base_url`, version included: vLLM, Ollama, SGLang, LM Studio,
 * llama.cpp, Cerebras, Z.ai, Moonshot, another gateway. It claims no path: its name stands before the path, or a route names it.
 */
export const provider: Provider = {
  name: 'openai-compatible',
  traits: {
    wires: Object.keys(roots),
    quirks: { 'openai-chat': gateway, 'openai-responses': gateway, 'anthropic-messages': gateway },
    key_headers: ['authorization', 'x-api-key'],
    needs: 'base_url',
    on_client_gone: 'cancel',
  },
  claims: () => claim.none,
  address: rooted(roots),
  authorise: bearerKey,
}
