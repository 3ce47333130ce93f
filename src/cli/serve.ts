import { defineCommand } from 'citty'
import { renderBanner } from './serve/banner.ts'
import { readSettings } from './serve/settings.ts'
import { lookOf } from './show/look.ts'
import { note, print } from './show/output.ts'

/** Resolves at the first SIGINT or SIGTERM. A second one ends the process at once. */
const interrupted = (): Promise<string> =>
  new Promise((resolve) => {
    let asked = false
    const stop = (signal: NodeJS.Signals): void => {
      if (asked) process.exit(signal === 'SIGINT' ? 130 : 143)
      asked = true
      resolve(signal)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })

export const command = {
  ...defineCommand({
    meta: {
      name: 'serve',
      description:
        'Run the gateway: every call that goes through it becomes an exact receipt. Works without any configuration.',
    },
    args: {
      config: {
        type: 'string',
        valueHint: 'FILE',
        description: 'Configuration file (or WEIR_CONFIG; ./weir.yaml otherwise)',
      },
      data: {
        type: 'string',
        valueHint: 'FOLDER',
        description: 'Where journal, ledger and keys lie (or WEIR_DATA; ./weir-data otherwise)',
      },
      host: { type: 'string', description: 'Address to listen on (127.0.0.1)' },
      port: { type: 'string', valueHint: 'N', alias: 'p', description: 'Port to listen on (4141; 0 takes a free one)' },
      mode: {
        type: 'string',
        valueHint: 'pass-through|keys',
        description: 'Whose provider key is used: the client’s own, or ours for holders of a Weir key',
      },
      threads: { type: 'string', valueHint: 'N', description: 'Gateway threads' },
      'log-level': { type: 'string', valueHint: 'LEVEL', description: 'debug, info, warn, error or silent' },
      json: { type: 'boolean', description: 'Say where it listens as one line of JSON' },
    },
    run: async ({ args }) => {
      const { config, data, host, port, mode, threads } = args
      const settings = await readSettings({ config, data, host, port, mode, threads, log_level: args['log-level'] })
      const { startGateway } = await import('../gateway/start.ts')
      const stop = interrupted()
      const running = await startGateway(settings)
      if (args.json) print(JSON.stringify({ url: running.url, mode: settings.mode, data: settings.data }))
      else print(renderBanner(running, lookOf()))
      const signal = await stop
      note(`weir: ${signal}; finishing the calls under way (once more ends at once)`)
      await running.close()
    },
  }),
  examples: [
    ['weir serve', 'on 127.0.0.1:4141, clients with their own provider keys'],
    ['weir serve --port 8080 --data /var/lib/weir', 'elsewhere'],
    ['weir serve --mode keys --host 0.0.0.0', 'for other machines, with Weir keys'],
  ],
} as const
