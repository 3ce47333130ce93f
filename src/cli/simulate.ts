import { once } from 'node:events'
import { defineCommand } from 'citty'
import { WeirError } from '../core/errors.ts'
import { every } from './asking.ts'
import { wholeFlag } from './numbers.ts'
import { plural } from './show/format.ts'
import { lookOf, paint } from './show/look.ts'
import { note, print, printJson } from './show/output.ts'
import { table } from './show/table.ts'

/** A flag that measures. Throws WeirError `bad-input` when it is not a number from 0 to `most`. */
const measure = (flag: string, text: string, most: number): number => {
  const number = Number(text)
  if (text.trim() !== '' && number >= 0 && number <= most) return number
  throw new WeirError('bad-input', `${flag} ${text}: expected a number from 0 to ${most}`)
}

/** `rate-limit;retry_after_s=2@0.05`: a fault and the share of calls that it hits. */
const readFault = (text: string): Readonly<{ fault: string; share: number }> => {
  const [fault = '', share = '1'] = text.split('@')
  return { fault, share: measure(`--fault ${fault}@…:`, share, 1) }
}

/** What the system says of a port that cannot be listened on, in words that help. */
const unheard = (cause: NodeJS.ErrnoException, port: string): Error =>
  cause.code === 'EADDRINUSE' || cause.code === 'EACCES'
    ? new WeirError(
        'bad-input',
        `--port ${port} cannot be listened on (${cause.code}): choose another; 0 takes a free one`,
      )
    : cause

const baseUrlTable = (base_urls: Readonly<Record<string, string>>): string =>
  table(
    Object.entries(base_urls),
    [
      { head: 'provider', cell: ([name]) => name },
      { head: 'base URL', cell: ([, url]) => url },
    ],
    lookOf(),
    { indent: 2 },
  )

const welcome = (url: string, base_urls: Readonly<Record<string, string>>): string => {
  const { bold, dim } = paint(lookOf())
  return `${bold(`Simulated providers on ${url}`)} ${dim('(any key will do; end with Ctrl+C)')}

${baseUrlTable(base_urls)}

To put the gateway in front of them, write into weir.yaml:

  providers:
    openai: { base_url: ${base_urls['openai']} }
    anthropic: { base_url: ${base_urls['anthropic']} }
    google: { base_url: ${base_urls['google']} }`
}

export const command = {
  ...defineCommand({
    meta: {
      name: 'simulate',
      description: 'Simulate the providers on this machine, with their wire formats, caches, usage and faults.',
    },
    args: {
      port: { type: 'string', valueHint: 'PORT', description: 'Where to listen; 0 takes a free one', default: '4140' },
      seed: { type: 'string', valueHint: 'N', description: 'The same seed gives the same answers', default: '1' },
      latency: { type: 'string', valueHint: 'MS', description: 'Before every answer', default: '300' },
      pace: { type: 'string', valueHint: 'MS', description: 'Between two chunks of a stream', default: '15' },
      fault: {
        type: 'string',
        valueHint: 'FAULT',
        description: 'A fault, its settings and the share of calls it affects; may be repeated (docs/simulator.md)',
      },
      json: { type: 'boolean', description: 'Print the addresses as JSON' },
    },
    run: async ({ args, rawArgs }) => {
      const wanted = every(rawArgs, 'fault').map(readFault)
      const { startSimulator } = await import('../../simulator/start.ts')
      const { parseFault } = await import('../../simulator/faults.ts')
      const simulator = await startSimulator({
        port: wholeFlag('--port', args.port, 65_535),
        seed: wholeFlag('--seed', args.seed, Number.MAX_SAFE_INTEGER),
        latency_ms: measure('--latency', args.latency, 600_000),
        pace_ms: measure('--pace', args.pace, 600_000),
        allow_header_faults: true,
      }).catch((cause: NodeJS.ErrnoException) => Promise.reject(unheard(cause, args.port)))
      try {
        for (const { fault, share } of wanted) simulator.faults.chance(share, parseFault(fault))
      } catch (error) {
        await simulator.close()
        throw new WeirError('bad-input', `--fault: ${error instanceof Error ? error.message : String(error)}`)
      }
      const { url, port, base_urls } = simulator
      if (args.json) printJson({ url, port, base_urls })
      else print(welcome(url, base_urls))
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
      await simulator.close()
      note(`${plural(simulator.calls.length, 'call')} answered.`)
    },
  }),
  examples: [
    ['weir simulate', 'every provider on port 4140'],
    ['weir simulate --latency 0 --pace 0', 'as fast as it goes'],
    ["weir simulate --fault 'rate-limit;retry_after_s=2@0.1' --fault cut@0.02", 'a bad day'],
  ],
} as const
