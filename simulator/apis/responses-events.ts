import type { Json } from '../json.ts'
import { list, record } from '../json.ts'
import { timeline } from '../timeline.ts'
import type { Chunk, Reply } from '../types.ts'
import { event } from './sse.ts'

type Progress = Readonly<{ visible: number; reasoning: number }>
type Say = (type: string, fields: Json, progress?: Progress) => void

const NOTHING = { visible: 0, reasoning: 0 }

const sayReasoning = (say: Say, item: Json, output_index: number, progress: Progress): void => {
  const item_id = item['id']
  say('response.output_item.added', { output_index, item: { ...item, summary: [] } })
  for (const [summary_index, value] of list(item['summary']).entries()) {
    const at = { item_id, output_index, summary_index }
    const { text } = record(value)
    say('response.reasoning_summary_part.added', { ...at, part: { type: 'summary_text', text: '' } })
    say('response.reasoning_summary_text.delta', { ...at, delta: text })
    say('response.reasoning_summary_text.done', { ...at, text })
    say('response.reasoning_summary_part.done', { ...at, part: value })
  }
  say('response.output_item.done', { output_index, item }, progress)
}

const saySearch = (say: Say, item: Json, output_index: number): void => {
  const at = { item_id: item['id'], output_index }
  say('response.output_item.added', { output_index, item: { ...item, status: 'in_progress' } })
  for (const state of ['in_progress', 'searching', 'completed']) say(`response.web_search_call.${state}`, at)
  say('response.output_item.done', { output_index, item })
}

type Steps = ReturnType<typeof timeline>

const sayMessage = (say: Say, item: Json, output_index: number, steps: Steps): void => {
  const at = { item_id: item['id'], output_index, content_index: 0 }
  const part = record(list(item['content'])[0])
  say('response.output_item.added', { output_index, item: { ...item, status: 'in_progress', content: [] } })
  say('response.content_part.added', { ...at, part: { ...part, text: '' } })
  for (const step of steps) {
    if (step.kind === 'text') say('response.output_text.delta', { ...at, delta: step.text, logprobs: [] }, step)
  }
  say('response.output_text.done', { ...at, text: part['text'], logprobs: [] })
  say('response.content_part.done', { ...at, part })
  say('response.output_item.done', { output_index, item })
}

const sayCall = (say: Say, item: Json, output_index: number, steps: Steps): void => {
  const at = { item_id: item['id'], output_index }
  say('response.output_item.added', { output_index, item: { ...item, status: 'in_progress', arguments: '' } })
  for (const step of steps) {
    if (step.kind === 'call-part') say('response.function_call_arguments.delta', { ...at, delta: step.text }, step)
  }
  say('response.function_call_arguments.done', { ...at, name: item['name'], arguments: item['arguments'] })
  say('response.output_item.done', { output_index, item })
}

/** A finished response as its stream of typed events, numbered from 0. */
export const responseEvents = (finished: Json, begun: Json, reply: Reply, chunk_tokens: number): Chunk[] => {
  const chunks: Chunk[] = []
  const say: Say = (type, fields, progress) => {
    chunks.push(event(type, { type, sequence_number: chunks.length, ...fields }, progress))
  }
  const steps = timeline(reply, chunk_tokens)
  say('response.created', { response: begun }, NOTHING)
  say('response.in_progress', { response: begun })
  let call = 0
  for (const [output_index, value] of list(finished['output']).entries()) {
    const item = record(value)
    if (item['type'] === 'reasoning') {
      sayReasoning(say, item, output_index, { visible: 0, reasoning: reply.reasoning_tokens })
    } else if (item['type'] === 'web_search_call') saySearch(say, item, output_index)
    else if (item['type'] === 'message') sayMessage(say, item, output_index, steps)
    else {
      const number = call++
      sayCall(
        say,
        item,
        output_index,
        steps.filter((step) => step.call === number),
      )
    }
  }
  const all = { visible: reply.visible_tokens, reasoning: reply.reasoning_tokens }
  say(finished['status'] === 'incomplete' ? 'response.incomplete' : 'response.completed', { response: finished }, all)
  return chunks
}
