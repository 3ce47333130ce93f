import type Anthropic from '@anthropic-ai/sdk'
import type { Kit, Scene, Session } from '../kit.ts'
import { passage, sentence } from '../texts.ts'

const STEPS = 10

const tool = (name: string, description: string, ...fields: string[]): Anthropic.Tool => ({
  name,
  description: `${description} ${passage(name.length, 12)}`,
  input_schema: {
    type: 'object',
    properties: Object.fromEntries(
      fields.map((field) => [field, { type: 'string', description: sentence(field.length) }]),
    ),
    required: fields,
  },
})

/** A dozen tools are declared in every request; two are used. */
const tools: Anthropic.Tool[] = [
  tool('read_file', 'Reads a file of the repository.', 'path'),
  tool('search_code', 'Finds a text in the repository.', 'query'),
  tool('edit_file', 'Replaces a text in a file.', 'path', 'old', 'new'),
  tool('run_tests', 'Runs the tests.', 'filter'),
  tool('list_files', 'Lists a folder.', 'path'),
  tool('git_log', 'Shows the history of a file.', 'path'),
  tool('open_issue', 'Opens an issue.', 'title', 'body'),
  tool('send_message', 'Writes to a channel.', 'channel', 'text'),
  tool('query_database', 'Runs a read-only query.', 'sql'),
  tool('fetch_page', 'Fetches a page.', 'url'),
  tool('read_logs', 'Reads the logs of a service.', 'service', 'since'),
  tool('deploy_preview', 'Deploys a preview.', 'branch'),
]

type Step = Readonly<{ n: number; cached: boolean; history: readonly Anthropic.MessageParam[] }>

const ask = (client: Anthropic, { n, cached, history }: Step): Promise<Anthropic.Message> =>
  client.messages.create({
    model: n % 2 === 0 ? 'claude-opus-5-5' : 'claude-sonnet-5-5',
    max_tokens: 2_000,
    system: `You are a careful engineer. ${passage(3, 60)}`,
    tools,
    messages: [...history],
    ...(cached && { cache_control: { type: 'ephemeral' } }),
  })

const resultsOf = (message: Anthropic.Message, n: number, step: number): Anthropic.ToolResultBlockParam[] =>
  message.content.flatMap((block) =>
    block.type === 'tool_use'
      ? [{ type: 'tool_result', tool_use_id: block.id, content: passage(n * 100 + step, 30) }]
      : [],
  )

/** An agent that reads its way through a repository, a tool's result at a time. */
const run = (n: number): Session => ({
  calls: STEPS + 1,
  run: async (kit: Kit) => {
    const client = kit.anthropic({
      team: 'engineering',
      feature: 'code-agent',
      user: `dev-${n % 6}`,
      session: `agent-${n}`,
    })
    const history: Anthropic.MessageParam[] = [
      { role: 'user', content: `Fix issue ${n}: ${sentence(n)} sim:steps=${STEPS}` },
    ]
    for (let step = 0; step <= STEPS; step++) {
      const message = await kit.call('coding agent', () => ask(client, { n, cached: n % 3 === 0, history }))
      if (message?.stop_reason !== 'tool_use') return
      history.push(
        { role: 'assistant', content: message.content },
        { role: 'user', content: resultsOf(message, n, step) },
      )
    }
  },
})

/** Coding agents with tools; every third one caches its conversation. */
export const agent = (count: number): Scene => ({
  title: 'coding agents with tools',
  sessions: Array.from({ length: count }, (_, n) => run(n)),
})
