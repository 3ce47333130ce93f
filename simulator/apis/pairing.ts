/** What the APIs refuse in a conversation: calls without results, results without calls, thoughts without what they led to. */
import { type Json, list, record, text } from '../json.ts'
import { Refusal } from '../types.ts'

type Turn = { readonly role: string; readonly blocks: Json[]; readonly first: number }

/** Messages as Anthropic reads them: those of one role that follow one another are one. */
const turnsOf = (messages: readonly Json[]): Turn[] => {
  const turns: Turn[] = []
  for (const [first, message] of messages.entries()) {
    const role = text(message['role']) ?? 'user'
    const last = turns.at(-1)
    const blocks = list(message['content']).map(record)
    if (last?.role === role) last.blocks.push(...blocks)
    else turns.push({ role, blocks, first })
  }
  return turns
}

const idsOf = (turn: Turn | undefined, type: string, name: string): string[] =>
  (turn?.blocks ?? []).flatMap((block) => (block['type'] === type ? (text(block[name]) ?? []) : []))

/** Throws Refusal 400 as the Messages API does (https://docs.claude.com/en/api/errors, and its messages in public issues). */
export const checkTurns = (messages: readonly Json[]): void => {
  const turns = turnsOf(messages)
  for (const [at, turn] of turns.entries()) {
    const place = `messages.${turn.first}`
    const answered = idsOf(turns[at + 1], 'tool_result', 'tool_use_id')
    const open = idsOf(turn, 'tool_use', 'id').filter((id) => !answered.includes(id))
    if (turn.role === 'assistant' && open.length > 0)
      throw new Refusal(
        400,
        `${place}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      )
    const asked = idsOf(turns[at - 1], 'tool_use', 'id')
    const stray = idsOf(turn, 'tool_result', 'tool_use_id').find((id) => !asked.includes(id))
    if (stray !== undefined)
      throw new Refusal(
        400,
        `${place}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      )
    const last = text(turn.blocks.at(-1)?.['type'])
    if (turn.role === 'assistant' && (last === 'thinking' || last === 'redacted_thinking'))
      throw new Refusal(400, `${place}: The final block in an assistant message cannot be \`thinking\`.`)
    if (turn.blocks.some((block) => block['type'] === 'text' && block['text'] === ''))
      throw new Refusal(400, 'messages: text content blocks must be non-empty')
  }
}

/** Throws Refusal 400 as chat completions do: every call of an assistant message is answered by the tool messages behind it. */
export const checkCalls = (messages: readonly Json[]): void => {
  let asked: readonly (string | undefined)[] = []
  let open = asked
  for (const [at, message] of [...messages, {} as Json].entries()) {
    if (message['role'] === 'tool') {
      const id = text(message['tool_call_id'])
      if (!asked.includes(id))
        throw new Refusal(
          400,
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          { param: `messages.[${at}].role` },
        )
      open = open.filter((other) => other !== id)
      continue
    }
    if (open.length > 0)
      throw new Refusal(
        400,
        `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(', ')}`,
        { param: `messages.[${at}].role` },
      )
    asked = list(message['tool_calls']).map((call) => text(record(call)['id']))
    open = asked
  }
}

const CALL = /^(function|custom_tool|local_shell|computer)_call$/

/** Throws Refusal 400 as Responses do: of calls and outputs each has its other, and a reasoning item what it led to. */
export const checkItems = (items: readonly unknown[]): void => {
  const all = items.map(record)
  const ids = (isOf: (type: string) => boolean): Set<unknown> =>
    new Set(all.flatMap((item) => (isOf(text(item['type']) ?? '') ? [item['call_id']] : [])))
  const called = ids((type) => CALL.test(type))
  const answered = ids((type) => type.endsWith('_call_output'))
  for (const [at, item] of all.entries()) {
    const type = text(item['type']) ?? 'message'
    if (type.endsWith('_call_output') && !called.has(item['call_id']))
      throw new Refusal(400, `No tool call found for function call output with call_id ${item['call_id']}.`, {
        param: 'input',
      })
    if (type === 'function_call' && !answered.has(item['call_id']))
      throw new Refusal(400, `No tool output found for function call ${item['call_id']}.`, { param: 'input' })
    const next = all[at + 1]
    if (type === 'reasoning' && (!next || next['role'] === 'user' || next['role'] === 'developer'))
      throw new Refusal(
        400,
        `Item '${item['id']}' of type 'reasoning' was provided without its required following item.`,
        { param: 'input' },
      )
  }
}
