import { setTimeout as sleep } from 'node:timers/promises'
import { defineCommand } from 'citty'
import type { Filter } from '../core/dimension.ts'
import type { PriceRow } from '../core/price.ts'
import type { Receipt } from '../core/receipt.ts'
import { verb as call } from '../verbs/call.ts'
import { verb as calls } from '../verbs/calls.ts'
import { verb as extent } from '../verbs/extent.ts'
import { perform } from '../verbs/perform.ts'
import {
  every,
  type FolderFlags,
  filtersOf,
  folderArgs,
  nothingFound,
  now_us,
  type WindowFlags,
  windowArgs,
  withLedger,
} from './asking.ts'
import { withContext } from './calling.ts'
import { renderCall } from './calls/call.ts'
import { openFresh } from './calls/fresh.ts'
import { callColumns, renderCalls } from './calls/list.ts'
import { countFlag } from './numbers.ts'
import { type Look, lookOf } from './show/look.ts'
import { note, print, printJson } from './show/output.ts'
import { table } from './show/table.ts'

type Flags = FolderFlags & WindowFlags & Readonly<{ json?: boolean | undefined; limit?: string | undefined }>

/** Price rows of today, to say where a rate comes from. Prices of the contract count where weir.yaml can be read. */
const priceRows = async (flags: FolderFlags): Promise<readonly PriceRow[]> => {
  const [{ loadPrices }, { loadSettings }, { providers }] = await Promise.all([
    import('../gateway/prices.ts'),
    import('../config.ts'),
    import('../providers/index.ts'),
  ])
  const contract = (): readonly PriceRow[] => {
    try {
      const config = { config: flags.config, data: flags.data }
      return loadSettings({ cwd: process.cwd(), env: process.env, flags: config, providers }).prices
    } catch {
      return []
    }
  }
  return (await loadPrices({ prices: contract() })).rows
}

const showCall = (flags: Flags, id: string): Promise<void> =>
  withContext(flags, 'weir calls', async (context) => {
    const receipts = await perform(call, { id }, context)
    if (flags.json) return printJson(receipts)
    const page = { receipts, zone: flags.zone ?? 'UTC', prices: await priceRows(flags) }
    print(renderCall(page, lookOf()) ?? '')
  })

const showList = (flags: Flags, where: readonly string[], order: 'newest' | 'dearest'): Promise<void> =>
  withContext(flags, 'weir calls', async (context) => {
    const limit = countFlag('--limit', flags.limit, 25)
    const { since, until, zone } = flags
    const { window, receipts } = await perform(calls, { since, until, zone, where, limit, order }, context)
    if (flags.json) printJson(receipts)
    else if (receipts.length > 0) print(renderCalls(receipts, window.zone, lookOf(), now_us()))
    else print(nothingFound(await perform(extent, {}, context), window, where.length > 0))
  })

const poll_ms = 1000

/** Lines for what is new, laid out with the rows before them, so that columns stay where they are. */
const followLines = (before: readonly Receipt[], fresh: readonly Receipt[], zone: string, look: Look): string[] => {
  const [head = '', ...lines] = table([...before, ...fresh], callColumns(zone, false), look).split('\n')
  const added = lines.slice(before.length)
  return before.length === 0 ? [head, ...added] : added
}

const laid_out = 100

/** Prints calls as they end, until interrupted. The ledger is let go between two looks, so that others can use it. */
const follow = async (flags: Flags, filters: readonly Filter[]): Promise<void> => {
  const look = openFresh(filters, now_us())
  let before: readonly Receipt[] = []
  for (let waiting = false; ; waiting = true) {
    const fresh = await withLedger(flags, 'weir calls --follow', (ledger) => look(ledger, now_us()))
    if (!waiting) note('Waiting for calls; end with Ctrl+C.')
    if (flags.json) for (const receipt of fresh) print(JSON.stringify(receipt))
    else if (fresh.length > 0) {
      print(followLines(before, fresh, flags.zone ?? 'UTC', lookOf()).join('\n'))
      before = [...before, ...fresh].slice(-laid_out)
    }
    await sleep(poll_ms)
  }
}

export const command = {
  ...defineCommand({
    meta: {
      name: 'calls',
      description:
        'List recent calls, or show one call by ID: its attempts, every line priced, and the price rows that applied.',
    },
    args: {
      id: { type: 'positional', required: false, description: 'A call or receipt, or the beginning of a call’s id' },
      follow: { type: 'boolean', alias: 'f', description: 'Go on and print calls as they end' },
      dearest: { type: 'boolean', description: 'The dearest first, instead of the newest' },
      limit: { type: 'string', valueHint: 'N', description: 'Calls at most (25)' },
      ...windowArgs,
      ...folderArgs,
    },
    run: ({ args, rawArgs }) => {
      if (args.id !== undefined) return showCall(args, args.id)
      if (args.follow) return follow(args, filtersOf(rawArgs))
      return showList(args, every(rawArgs, 'where'), args.dearest ? 'dearest' : 'newest')
    },
  }),
  examples: [
    ['weir calls', 'the latest calls'],
    ['weir calls --follow --where team=search', 'a team’s calls as they end'],
    ['weir calls --dearest --since today', 'what cost most today'],
    ['weir calls 0199c2f4-6c1e-7d3a-b2a1-0c5d8e9f1a2b', 'one call, line by line'],
  ],
} as const
