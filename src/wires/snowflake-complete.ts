import type { Wire } from '../core/wire.ts'
import { wire as chat } from './openai-chat.ts'

/** A stream that nobody asked for is what its client reads: it stays one. */
const { forms: _, ...plainChat } = chat

/**
 * Snowflake Cortex's first inference path (https://docs.snowflake.com/developer-guide/snowflake-rest-api/reference/cortex-inference):
 * chat as OpenAI writes it. It may stream without having been asked to, which the answer's content type tells.
 */
export const wire: Wire = {
  ...plainChat,
  name: 'snowflake-complete',
  endpoints: ['chat'],
  recognise: (method, path) => method === 'POST' && /\/cortex\/inference:complete$/.test(path),
}
