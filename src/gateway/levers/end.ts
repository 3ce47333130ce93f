import type { Ended } from '../../core/lever.ts'
import type { Receipt } from '../../core/receipt.ts'
import { calledNames } from '../../wires/framing/called.ts'
import type { Answer, Call } from '../call.ts'
import { asWeirError } from '../shape.ts'
import type { World } from '../world.ts'
import type { Pulling } from './pulling.ts'

/**
 * How a request for tools, or work of tools that the provider runs, reads in an answer's bytes, on any wire; text of the model cannot
 * read so, its quotes are escaped.
 */
const TOOLS =
  /"(tool_calls|function_call)"\s*:\s*(\[\s*\{|\{)|"type"\s*:\s*"(\w*tool_use|\w+_call)"|"(functionCall|function_call|toolUse|executableCode|groundingMetadata)"\s*:\s*\{\s*"/

const REFUSAL = /"refusal"\s*:\s*"|"type"\s*:\s*"refusal"/

/** How it reads that one of several choices ended in another way than by itself. */
const UNFINISHED = /"(finish_reason|finishReason)"\s*:\s*"(?!(stop|end_turn|stop_sequence|complete|eos)")/i

type Kept = Readonly<{
  body: Uint8Array
  content_type: string
  has_tool_calls: boolean
  is_refusal: boolean
  is_whole: boolean
  text(): string | undefined
  called(): ReadonlySet<string>
}>

/** The answer's bytes, where there is a good one and they were kept. */
const keptOf = ({ wire }: Call, { attempt, outcome }: Answer): Kept | undefined => {
  const pieces = attempt?.kept
  const { status = 0, headers = {} } = attempt ?? {}
  if (!pieces || outcome !== 'ok' || status < 200 || status >= 300) return undefined
  const body = Buffer.concat(pieces)
  const content_type = headers['content-type'] ?? 'application/json'
  const text = body.toString('latin1')
  return {
    body,
    content_type,
    has_tool_calls: TOOLS.test(text),
    is_refusal: REFUSAL.test(text),
    is_whole: !UNFINISHED.test(text),
    text: () => wire?.editor?.said(body, content_type),
    called: () => calledNames(body, content_type),
  }
}

/** What every lever is told: also whether another model answered than the one to which the call was to go. */
const toldOf = ({ live, model }: Pulling, { attempt }: Answer, receipt: Receipt): Ended => {
  const fell_back = attempt !== undefined && attempt.model !== model
  return { call: live, receipt, ...(fell_back ? { fell_back } : {}) }
}

/** Tells the levers that saw a call how it ended. What they make of it is not the call's concern any more. */
export const endLevers = (call: Call, answer: Answer, receipt: Receipt, world: World): void => {
  const { pulling } = call
  if (!pulling || !world.levers) return
  const kept = pulling.wants_answer > 0 ? keptOf(call, answer) : undefined
  const told = toldOf(pulling, answer, receipt)
  for (const { active, pulled, waived } of pulling.turns) {
    const { lever, settings, mode } = active
    if (!lever.learn || waived) continue
    const wanted = kept && kept.body.length <= (lever.traits.wants_answer ?? 0) ? kept : {}
    try {
      lever.learn({ ...told, ...(pulled ? { pulled } : {}), ...wanted }, settings, world.levers.kitOf(lever, mode))
    } catch (error) {
      world.log.failure(call.id, asWeirError(error))
    }
  }
}
