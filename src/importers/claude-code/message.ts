import { createHash } from 'node:crypto'
import type { ImportOptions } from '../../core/importer.ts'
import type { Receipt } from '../../core/receipt.ts'
import { receiptOf } from '../receipt.ts'

/** One answer of the model as a session log tells it, its lines folded. */
export type LoggedMessage = Readonly<{
  id: string
  request: string | undefined
  session: string
  agent: string
  /** The last part of the working folder. */
  project: string | undefined
  branch: string | undefined
  version: string | undefined
  model: string
  usage: Readonly<Record<string, unknown>>
  stop: string | undefined
  first_us: number
  last_us: number
  /** The line that told it last. */
  line: number
}>

/** Models are reached directly, through Bedrock (`us.anthropic.…`) or through Vertex (`claude-…@date`). */
const providerOf = (model: string): string => {
  if (/(^|\.)anthropic\./.test(model)) return 'aws-bedrock'
  return model.includes('@') ? 'vertex-ai' : 'anthropic'
}

/** The receipt of a logged message; the same message in a resumed session's log has the same id. */
export const messageReceipt = (message: LoggedMessage, step: number, options: ImportOptions): Receipt => {
  const model = options.model ?? message.model
  const tags = {
    ...(message.project !== undefined && { project: message.project }),
    ...(message.branch !== undefined && { branch: message.branch }),
    ...(message.version !== undefined && { client: `claude-code/${message.version}` }),
  }
  return receiptOf(
    {
      identity: `claude-code/${message.id}/${message.request ?? ''}`,
      origin: 'claude-code',
      provider: options.provider ?? providerOf(model),
      model,
      wire: 'anthropic-messages',
      endpoint: 'messages',
      stream: true,
      started_at_us: message.first_us,
      ended_at_us: message.last_us,
      usage: options.meter('anthropic-messages', { type: 'message', model, usage: message.usage }) ?? {},
      columns: {
        session: message.session,
        step,
        agent: message.agent,
        tags,
        provider_response_id: message.id,
        ...(message.stop !== undefined && { finish_reason: message.stop }),
        turns: step + 1,
        fingerprint_conversation: createHash('sha256').update(message.session).digest('hex').slice(0, 16),
      },
    },
    options,
  )
}
