import { defineCommand } from 'citty'
import type { Extent } from '../core/ledger.ts'
import { readControl } from '../gateway/control.ts'
import { hasStore } from '../verbs/data.ts'
import { verb as extent } from '../verbs/extent.ts'
import { perform } from '../verbs/perform.ts'
import type { Context } from '../verbs/verb.ts'
import { folderArgs } from './asking.ts'
import { withContext } from './calling.ts'
import { money, plural, tokens } from './show/format.ts'
import { type Look, lookOf, paint } from './show/look.ts'
import { print, printJson } from './show/output.ts'
import { facts } from './show/table.ts'
import { moment } from './show/time.ts'

type Gateway = Readonly<{
  pid: number
  url?: string
  mode?: string
  journal?: Readonly<{ writable: boolean; waiting: number }>
  lag?: Readonly<{ segments: number; failed: boolean }>
  /** Why the ledger cannot be opened, where it cannot. */
  ledger_failed?: string
}>

/** The gateway that runs on this folder, as it says itself; undefined where none answers. */
const askGateway = async (data: string): Promise<Gateway | undefined> => {
  const control = readControl(data)
  if (!control) return undefined
  const { port, token } = control
  try {
    const response = await fetch(`http://127.0.0.1:${port}/status`, {
      headers: { authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(2000),
    })
    return response.ok ? ((await response.json()) as Gateway) : undefined
  } catch {
    return undefined
  }
}

/** Alerts that are open, and deliveries of alerts that did not arrive. */
type Alerts = Readonly<{ open: number; waiting: number; refused: number }>

/** `extent` is null where the gateway's ledger is not open. */
export type Status = Readonly<{ data: string; gateway: Gateway | null; extent: Extent | null; alerts: Alerts }>

const countAlerts = async ({ data, store }: Context): Promise<Alerts> => {
  if (!hasStore(data)) return { open: 0, waiting: 0, refused: 0 }
  const { alerts } = await store()
  const { waiting, refused } = await alerts.deliveries.counts()
  return { open: (await alerts.list({ state: 'open' })).length, waiting, refused }
}

/** What keeps alerts from whom they are for. */
const undelivered = ({ waiting, refused }: Alerts): string | undefined => {
  const said = [
    waiting === 0 ? [] : plural(waiting, 'delivery waits', 'deliveries wait'),
    refused === 0 ? [] : plural(refused, 'delivery was refused', 'deliveries were refused'),
  ].flat()
  return said.length === 0 ? undefined : `${said.join(', ')}: weir alerts test`
}

/** What keeps receipts from the ledger, where something does. */
const troubles = (gateway: Gateway | null): readonly (readonly [string, string])[] => {
  const { journal, lag, ledger_failed } = gateway ?? {}
  const held = journal && !journal.writable
  return [
    ...(held
      ? [
          [
            'journal',
            `cannot be written: calls are refused, ${plural(journal.waiting, 'receipt')} wait for room`,
          ] as const,
        ]
      : []),
    ...(ledger_failed === undefined ? [] : [['ledger', `${ledger_failed} Receipts wait in the journal.`] as const]),
    ...(lag?.failed
      ? [['behind', `the ledger refuses ${plural(lag.segments, 'segment')} of the journal; the log says why`] as const]
      : []),
  ]
}

/** What the ledger holds. */
const holdings = (extent: Extent | null, look: Look): readonly (readonly [string, string | undefined])[] => {
  if (extent === null) return []
  const { first_us, last_us, unpriced } = extent
  return [
    ['ledger', `${plural(extent.calls, 'call')}, ${plural(extent.receipts, 'receipt')}`],
    ['from, to', first_us === null || last_us === null ? undefined : `${moment(first_us)} – ${moment(last_us)} UTC`],
    ['tokens', `${tokens(extent.input_tokens)} in, ${tokens(extent.output_tokens)} out`],
    ['cost', money(extent.cost_usd)],
    ['unpriced', unpriced === 0 ? undefined : paint(look).yellow(`${plural(unpriced, 'receipt')} without a price yet`)],
  ]
}

/** Is a gateway running, and what does the ledger hold. */
export const renderStatus = ({ data, gateway, extent, alerts }: Status, look: Look): string => {
  const colours = paint(look)
  const running = gateway
    ? `${colours.green('running')} on ${gateway.url ?? '?'} (${gateway.mode ?? '?'} mode, process ${gateway.pid})`
    : `${colours.dim('not running')}: weir serve`
  const channels = undelivered(alerts)
  return facts(
    [
      ['gateway', running],
      ['data', data],
      ...troubles(gateway).map(([name, what]): [string, string] => [name, colours.yellow(what)]),
      ...holdings(extent, look),
      ['alerts', alerts.open === 0 ? undefined : `${alerts.open} open: weir alerts`],
      ['channels', channels && colours.yellow(channels)],
    ],
    look,
    0,
  )
}

export const command = {
  ...defineCommand({
    meta: { name: 'status', description: 'Show whether a gateway is running here and what the ledger holds.' },
    args: folderArgs,
    run: ({ args }) =>
      withContext(args, 'weir status', async (context) => {
        const { data } = context
        const gateway = (await askGateway(data)) ?? null
        const held = gateway?.ledger_failed === undefined ? await perform(extent, {}, context) : null
        const status: Status = { data, gateway, extent: held, alerts: await countAlerts(context) }
        if (args.json) printJson(status)
        else print(renderStatus(status, lookOf()))
      }),
  }),
  examples: [['weir status', 'of ./weir-data']],
} as const
