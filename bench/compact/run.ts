/** CPU that the lossless compact levers take of a call with a prompt of 10 KB. */
import { lever as minify } from '../../src/playbook/compact/minify.ts'
import { lever as toolResults } from '../../src/playbook/compact/tool-results.ts'
import { callOf, chosen, kitOf, type Message } from '../../test/compact/calling.ts'

const LIMIT_US = 60
const CALLS = 800
const ROUNDS = 7

const row = (id: number) => ({ id, name: `row ${id}`, price: 12.5, tags: ['a', 'b'] })

const talk = (turns: number, nth: number): Message[] => [
  { role: 'system', content: 'Be brief. '.repeat(100) },
  { role: 'user', content: `What about ${nth}?` },
  ...Array.from({ length: turns }, (_, turn): Message[] => [
    { role: 'assistant', tool_calls: [{ id: `c${turn}`, function: { name: 'read', arguments: '{}' } }] },
    {
      role: 'tool',
      content: JSON.stringify(
        Array.from({ length: 12 }, (_, id) => row(id + turn)),
        null,
        1,
      ),
      tool_call_id: `c${turn}`,
    },
  ]).flat(),
]

/** Median µs of a call. What reads the prompt for the levers is not counted: it is read on first use by whoever comes first. */
const timed = (messagesOf: (index: number) => Message[]): number => {
  const kits = [kitOf(), kitOf()] as const
  const settings = [chosen(minify), chosen(toolResults)] as const
  const calls = Array.from({ length: CALLS }, (_, index) => callOf({ messages: messagesOf(index) }, index))
  for (const call of calls) call.outline()
  const spent = calls.map((call) => {
    const started = performance.now()
    minify.pull(call, settings[0], kits[0])
    toolResults.pull(call, settings[1], kits[1])
    return 1000 * (performance.now() - started)
  })
  return spent.sort((left, right) => left - right)[CALLS / 2] ?? 0
}

const best = (messagesOf: (index: number) => Message[]): string =>
  Math.min(...Array.from({ length: ROUNDS }, () => timed(messagesOf))).toFixed(1)

const grown = best((index) => talk(2 + (index % 8), Math.floor(index / 8)))
console.log(`minify and tool-results, prompt of 10 KB, median of ${CALLS} calls, best of ${ROUNDS} rounds`)
console.log(`  grown by a turn      ${grown} µs (limit ${LIMIT_US})`)
console.log(`  new as a whole       ${best((index) => talk(9, index))} µs`)
console.log(
  `  nothing to take out  ${best((index) => [
    { role: 'system', content: 'Be brief. '.repeat(1000) },
    { role: 'user', content: `${index}?` },
  ])} µs`,
)
