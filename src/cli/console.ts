import { defineCommand } from 'citty'
import { folderArgs } from './asking.ts'
import { openConsole } from './console/open.ts'
import { tokenCommands } from './console/tokens.ts'
import { wholeFlag } from './numbers.ts'
import { interrupted } from './serve/interrupted.ts'
import { print } from './show/output.ts'

const elsewhere = 'choose another port with --port (a gateway that runs has its console already)'

export const command = {
  ...defineCommand({
    meta: {
      name: 'console',
      description:
        'Run the HTTP API for dashboards and automation on loopback. weir serve starts it too; this runs it alone.',
    },
    args: {
      port: {
        type: 'string',
        valueHint: 'N',
        alias: 'p',
        description: 'Port to listen on (0 picks a free one)',
        default: '4142',
      },
      ...folderArgs,
    },
    subCommands: { token: tokenCommands },
    run: async ({ args }) => {
      const port = wholeFlag('--port', args.port, 65_535)
      const stop = interrupted()
      const running = await openConsole(args, port, elsewhere)
      if (args.json) print(JSON.stringify({ console: running.url }))
      else {
        print(`The console listens on ${running.url}; ${running.url}/openapi.json says what it answers.`)
        print('Make a token: weir console token create --admin, or --team TEAM')
      }
      await stop
      await running.close()
    },
  }),
  examples: [
    ['weir console token create --admin', 'a token, shown once'],
    ['weir console', 'on 127.0.0.1:4142, where no gateway runs'],
    [
      'curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:4142/v1/spend?since=month',
      'this month by team, model, feature',
    ],
  ],
} as const
