/** A console over a real ledger and store with two teams in them, of which one must never see the other. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultSettings } from '../../src/config.ts'
import { startConsole } from '../../src/console/start.ts'
import { formatUsd, parseUsd } from '../../src/core/money.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import type { Settings } from '../../src/core/settings.ts'
import { openContext, type Surroundings } from '../../src/verbs/context.ts'
import { perform } from '../../src/verbs/perform.ts'
import { verb as createToken } from '../../src/verbs/tokens-create.ts'
import { append, receipt } from '../allocate-cli/more.ts'

/** The moment at which everything here happens. */
export const now = '2026-11-20T12:00:00Z'

const spend = (team: string | undefined, id: string, at: string, usd: string): Receipt =>
  receipt(id, at, {
    ...(team === undefined
      ? {}
      : { team, feature: `${team}-chat`, customer: `${team}-customer`, user: `${team}-user` }),
    key_id: `key_of_${team ?? 'nobody'}`,
    session: `${team ?? 'nobody'}-session`,
    cost_usd: formatUsd(parseUsd(usd)),
    input_cost_usd: formatUsd(parseUsd(usd)),
    input_tokens: 1000,
    output_tokens: 100,
    lines: [
      {
        kind: 'message',
        model: 'gpt-5.5',
        meter: 'in.text.fresh',
        quantity: 1000,
        rate_usd: '2.5',
        cost_usd: formatUsd(parseUsd(usd)),
      },
    ],
  })

/** What red and blue spent, and nobody; one free call is of a month that is over. */
export const receipts: readonly Receipt[] = [
  spend('red', 'red-0', '2026-10-20T08:00:00Z', '0'),
  spend('red', 'red-1', '2026-11-10T08:00:00Z', '1.5'),
  spend('red', 'red-2', '2026-11-12T08:00:00Z', '0.5'),
  spend('red', 'red-3', '2026-11-18T08:00:00Z', '0.25'),
  spend('blue', 'blue-1', '2026-11-10T09:00:00Z', '70'),
  spend('blue', 'blue-2', '2026-11-13T09:00:00Z', '30'),
  spend('blue', 'blue-3', '2026-11-18T09:00:00Z', '7'),
  spend(undefined, 'nobody-1', '2026-11-11T09:00:00Z', '3'),
]

export type Ask = Readonly<{
  token?: string | undefined
  method?: string
  json?: unknown
  body?: string | Uint8Array
  headers?: Readonly<Record<string, string>>
}>

export type House = Awaited<ReturnType<typeof openHouse>>

/** Starts it on a free port of loopback. */
export const openHouse = async (more: readonly Receipt[] = [], set: Partial<Settings> = {}) => {
  const data = mkdtempSync(join(tmpdir(), 'weir-console-'))
  await append(data, 'two-teams', [...receipts, ...more])
  const faults: Error[] = []
  const around: Surroundings = {
    data,
    now_us: () => Date.parse(now) * 1000,
    random: randomBytes,
    variable: () => undefined,
    field: (name) => name,
    settings: async () => ({ ...defaultSettings, data, organisation: 'Spectrum', ...set }),
  }
  const opened = openContext(around, 'test')
  const mint = async (input: object) => (await perform(createToken, input, opened.context)).token
  const tokens = {
    admin: await mint({ admin: true }),
    red: await mint({ team: 'red' }),
    blue: await mint({ team: 'blue' }),
  }
  const running = await startConsole({
    ...around,
    port: 0,
    elsewhere: '',
    version: '9.9.9',
    fault: (error) => faults.push(error),
  })
  const ask = async (path: string, { token, method = 'GET', json, body, headers = {} }: Ask = {}) => {
    const response = await fetch(running.url + path, {
      method,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      ...(body === undefined ? {} : { body: body as string }),
    })
    const text = await response.text()
    return { status: response.status, text, headers: response.headers, json: () => JSON.parse(text) }
  }
  return {
    data,
    url: running.url,
    tokens,
    faults,
    ask,
    context: opened.context,
    async close() {
      await opened.close()
      await running.close()
      rmSync(data, { recursive: true })
    },
  }
}
