import { defineCommand } from 'citty'
import type { Running } from '../gateway/start.ts'
import { interrupted } from './serve/interrupted.ts'
import { note, print } from './show/output.ts'

type Beside = Readonly<{ url?: string; close(): Promise<void> }>

const elsewhere = 'choose another with console: { port: … } or --console, or turn it off with --console off'

/** The console beside the gateway, where it is not turned off. A gateway whose console cannot start does not start either. */
const consoleBeside = async (gateway: Running, config: string | undefined): Promise<Beside> => {
  const { settings, port } = gateway
  if (settings.console === 'off') return { close: async () => {} }
  const { consolePort, openConsole } = await import('./console/open.ts')
  try {
    return await openConsole({ data: settings.data, config }, consolePort(settings.console, port), elsewhere)
  } catch (error) {
    await gateway.close()
    throw error
  }
}

export const command = {
  ...defineCommand({
    meta: {
      name: 'serve',
      description: 'Run the gateway: every call through it leaves an exact receipt. No configuration is needed.',
    },
    args: {
      config: {
        type: 'string',
        valueHint: 'FILE',
        description: 'Configuration file (or WEIR_CONFIG; ./weir.yaml by default)',
      },
      data: {
        type: 'string',
        valueHint: 'FOLDER',
        description: 'Folder for journal, ledger and keys (or WEIR_DATA; ./weir-data by default)',
      },
      host: { type: 'string', description: 'Address to listen on (127.0.0.1)' },
      port: { type: 'string', valueHint: 'N', alias: 'p', description: 'Port to listen on (4141; 0 takes a free one)' },
      mode: {
        type: 'string',
        valueHint: 'pass-through|keys',
        description:
          'Whose provider key is used: the client’s own (pass-through), or Weir’s for holders of a Weir key (keys)',
      },
      console: {
        type: 'string',
        valueHint: 'PORT|off',
        description: 'Port of the console on loopback (by default the gateway’s port plus one), or off',
      },
      threads: { type: 'string', valueHint: 'N', description: 'Gateway threads' },
      'log-level': { type: 'string', valueHint: 'LEVEL', description: 'debug, info, warn, error or silent' },
      json: { type: 'boolean', description: 'Say where it listens as one line of JSON' },
    },
    run: async ({ args }) => {
      const { config, data, host, port, mode, threads, console } = args
      const { warmUp } = await import('../gateway/threads.ts')
      warmUp()
      const { readSettings } = await import('./serve/settings.ts')
      const flags = { config, data, host, port, mode, threads, console, log_level: args['log-level'] }
      const settings = await readSettings(flags)
      const { startGateway } = await import('../gateway/start.ts')
      const stop = interrupted()
      const running = await startGateway(settings, { reread: () => readSettings(flags) })
      const beside = await consoleBeside(running, config)
      const { renderBanner } = await import('./serve/banner.ts')
      const { lookOf } = await import('./show/look.ts')
      const where = { url: running.url, ...(beside.url === undefined ? {} : { console: beside.url }) }
      if (args.json) print(JSON.stringify({ ...where, mode: settings.mode, data: settings.data }))
      else print(renderBanner({ ...where, settings: running.settings }, lookOf()))
      const signal = await stop
      note(`weir: ${signal}; finishing the calls under way (once more ends at once)`)
      await beside.close()
      await running.close()
    },
  }),
  examples: [
    ['weir serve', 'on 127.0.0.1:4141, clients with their own provider keys'],
    ['weir serve --port 8080 --data /var/lib/weir', 'elsewhere'],
    ['weir serve --mode keys --host 0.0.0.0', 'for other machines, with Weir keys'],
  ],
} as const
