import type { Reply } from './types.ts'

/** One thing that a stream says next. `visible` and `reasoning` are the output tokens made up to and including it. */
export type Step = Readonly<{
  kind: 'thought' | 'text' | 'call-open' | 'call-part' | 'call-close'
  text: string
  /** Which tool call, from 0. */
  call: number
  visible: number
  reasoning: number
}>

const grouped = (pieces: readonly string[], size: number): { text: string; upTo: number }[] => {
  const groups: { text: string; upTo: number }[] = []
  for (let at = 0; at < pieces.length; at += size) {
    const group = pieces.slice(at, at + size)
    groups.push({ text: group.join(''), upTo: at + group.length })
  }
  return groups
}

/** A reply as a stream says it, `size` pieces at a time: what it thought, what it said, then its tool calls. */
export const timeline = (reply: Reply, size: number): readonly Step[] => {
  const steps: Step[] = []
  const { reasoning_tokens: all, visible_tokens } = reply
  const callTokens = reply.calls.reduce((n, call) => n + call.tokens, 0)
  const saidTokens = visible_tokens - callTokens
  for (const { text, upTo } of grouped(reply.thought, size)) {
    const reasoning = Math.round((all * upTo) / reply.thought.length)
    steps.push({ kind: 'thought', text, call: 0, visible: 0, reasoning })
  }
  for (const { text, upTo } of grouped(reply.said, size)) {
    const visible = Math.round((saidTokens * upTo) / reply.said.length)
    steps.push({ kind: 'text', text, call: 0, visible, reasoning: all })
  }
  let before = saidTokens
  for (const [call, made] of reply.calls.entries()) {
    steps.push({ kind: 'call-open', text: '', call, visible: before, reasoning: all })
    for (const { text, upTo } of grouped(made.pieces, size)) {
      const visible = before + Math.round((made.tokens * upTo) / made.pieces.length)
      steps.push({ kind: 'call-part', text, call, visible, reasoning: all })
    }
    before += made.tokens
    steps.push({ kind: 'call-close', text: '', call, visible: before, reasoning: all })
  }
  return steps
}
