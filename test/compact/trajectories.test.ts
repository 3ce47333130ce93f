import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Outline } from '../../src/core/prompt.ts'
import { lever as minify } from '../../src/playbook/compact/minify.ts'
import { lever as toolResults } from '../../src/playbook/compact/tool-results.ts'
import { bodyAfter, callOf, chosen, kitOf, type Message, sent, turnsOf } from './calling.ts'

const file = '../shared/data/tau_airline_trajectories.jsonl.gz'
const there = existsSync(file)
if (!there) process.stdout.write(`skipped: ${file} is not there\n`)

const trajectories = (): Message[][] =>
  gunzipSync(readFileSync(file))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { traj: Message[] }).traj)

const length = (texts: readonly (string | undefined)[]) => texts.reduce((sum, text) => sum + (text?.length ?? 0), 0)

/** Characters of a prompt, tool calls as their whole JSON: the count that the plain methods' shares are of. */
const characters = ({ messages }: ReturnType<typeof turnsOf>[number]) =>
  messages.reduce(
    (sum, { content, tool_calls }) =>
      sum + (content?.length ?? 0) + (tool_calls ? JSON.stringify(tool_calls).length : 0),
    0,
  )

/** What is sent when both levers are on, each seeing what the one before it left. */
const compacted = (prompts: ReturnType<typeof turnsOf>) => {
  const doors = [kitOf(), kitOf()] as const
  return prompts.map((prompt, turn) => {
    const call = callOf(prompt, turn * 20)
    const asked = call.outline() as Outline
    const after = sent(call, minify.pull(call, chosen(minify), doors[0]))
    const outline = { ...asked, blocks: asked.blocks.map((block, index) => ({ ...block, text: after[index] ?? '' })) }
    const next = { ...call, outline: () => outline }
    return { blocks: asked.blocks, texts: sent(next, toolResults.pull(next, chosen(toolResults), doors[1])) }
  })
}

/** How many results and users' messages read otherwise than they were asked; all else must be the same. */
const contentsThatDiffer = (asked: readonly Message[], after: readonly Message[]): number => {
  const mayDiffer = ({ role }: Message) => role === 'tool' || role === 'user'
  expect(after).toEqual(
    asked.map((message, index) => (mayDiffer(message) ? { ...message, content: after[index]?.content } : message)),
  )
  return asked.filter((message, index) => message.content !== after[index]?.content).length
}

describe.skipIf(!there)('minify and tool-results on the airline trajectories', () => {
  test('together save at least 2.5 % of the characters that are sent again and again', () => {
    let all = 0
    let saved = 0
    let calls = 0
    for (const prompts of trajectories().map(turnsOf)) {
      calls += prompts.length
      all += prompts.reduce((sum, prompt) => sum + characters(prompt), 0)
      for (const { blocks, texts } of compacted(prompts))
        saved += length(blocks.map(({ text }) => text)) - length(texts)
    }
    expect(calls).toBe(1332)
    expect(saved / all).toBeGreaterThanOrEqual(0.025)
    process.stdout.write(`saved ${((100 * saved) / all).toFixed(2)} % of ${all} characters\n`)
  })

  test('change no tool call: the body that goes out differs in results and nothing else', () => {
    const differing = trajectories().map((messages) => {
      const call = callOf(turnsOf(messages).at(-1) ?? { messages })
      const asked = messages.slice(
        0,
        messages.findLastIndex(({ role }) => role === 'assistant'),
      )
      const pulls = [minify.pull(call, chosen(minify), kitOf()), toolResults.pull(call, chosen(toolResults), kitOf())]
      return pulls.reduce((sum, pulled) => sum + contentsThatDiffer(asked, bodyAfter(call, pulled).messages), 0)
    })
    expect(differing.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(100)
  })

  test('send what they sent before as it was sent before: no cached prefix is broken', () => {
    for (const messages of trajectories()) {
      let before: readonly (string | undefined)[] = []
      for (const { texts } of compacted(turnsOf(messages))) {
        expect(texts.slice(0, before.length)).toEqual(before)
        before = texts
      }
    }
  })
})
