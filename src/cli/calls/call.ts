import { parseUsd, sum } from '../../core/money.ts'
import type { PriceRow } from '../../core/price.ts'
import type { Receipt } from '../../core/receipt.ts'
import { type StackPart, stack } from '../show/chart.ts'
import { bytes, clean, count, duration, exactMoney, money, percent, plural, shareOf, tokens } from '../show/format.ts'
import { type Look, type Paint, paint } from '../show/look.ts'
import { facts } from '../show/table.ts'
import { moment } from '../show/time.ts'
import { linesTable, pricesText } from './lines.ts'
import { outcomeStyle, outcomeText } from './list.ts'

type Entry = readonly [string, string | undefined]

const took = (from_us: number, to_us: number | undefined): string | undefined =>
  to_us === undefined || to_us === from_us ? undefined : duration((to_us - from_us) / 1000)

const payer = (receipt: Receipt): string | undefined => {
  const { team, feature, customer, user, environment, key_id: key, session, step, agent, tags } = receipt
  const stepText = step === undefined ? undefined : `step ${step}`
  const named = Object.entries({ team, feature, customer, user, environment, key, session, agent, ...tags })
  const known = named.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]))
  const all = stepText === undefined ? known : [...known, stepText]
  return all.length === 0 ? undefined : clean(all.join(' · '))
}

const what = (receipt: Receipt): string => {
  const { model_asked: asked, model_served: served, provider } = receipt
  const answered = served !== undefined && served !== asked ? ` → ${served}` : ''
  const how = [receipt.service_tier, receipt.speed, receipt.region, receipt.geo].filter((word) => word !== undefined)
  const qualified = how.length === 0 ? '' : ` (${how.join(', ')})`
  return clean(`${provider}${asked === undefined ? '' : ` ${asked}`}${answered}${qualified}`)
}

const request = (receipt: Receipt): string => {
  const { wire, endpoint, stream, turns, tool_count: tools, max_output_asked: most, response_format: format } = receipt
  const sizes = receipt.request_bytes === undefined ? undefined : `${bytes(receipt.request_bytes)} sent`
  const received = receipt.response_bytes === undefined ? undefined : `${bytes(receipt.response_bytes)} received`
  const said = [
    wire === undefined ? endpoint : `${wire} ${endpoint}`,
    stream ? 'streamed' : undefined,
    turns === undefined ? undefined : plural(turns, 'turn'),
    tools === undefined || tools === 0 ? undefined : plural(tools, 'tool'),
    most === undefined ? undefined : `at most ${count(most)} tokens out`,
    format,
    sizes,
    received,
  ]
  return clean(said.filter((text) => text !== undefined).join(' · '))
}

const parts = [
  ['system', 'system_tokens', 'blue', '█'],
  ['tools', 'tools_tokens', 'magenta', '▓'],
  ['examples', 'examples_tokens', 'cyan', '▒'],
  ['history', 'history_tokens', 'yellow', '░'],
  ['context', 'context_tokens', 'green', '▚'],
  ['user', 'user_tokens', 'red', '■'],
] as const

/** The prompt as one bar, and what each part took. Undefined where the parts are not known. */
const anatomy = (receipt: Receipt, look: Look, colours: Paint): string | undefined => {
  const known: StackPart[] = parts.map(([label, field, style, mark]) => ({
    label,
    size: receipt[field] ?? 0,
    style,
    mark,
  }))
  const total = known.reduce((all, { size }) => all + size, 0)
  if (total === 0) return undefined
  const width = Math.min(60, Number.isFinite(look.width) ? look.width - 12 : 60)
  const legend = known
    .filter(({ size }) => size > 0)
    .map(
      ({ label, size, style, mark }) =>
        `${colours[style](mark)} ${label} ${tokens(size)} ${colours.dim(percent(size / total))}`,
    )
  return `${stack(known, width, look)}\n${legend.join('  ')}`
}

const usageText = (receipt: Receipt): string | undefined => {
  const { input_tokens: input, output_tokens: output } = receipt
  if (input === undefined && output === undefined) return undefined
  const read = shareOf(receipt.cache_read_tokens ?? 0, input ?? 0)
  const said = [
    `${count(input)} in`,
    read ? `${percent(read)} of it from cache` : undefined,
    `${count(output)} out`,
    receipt.reasoning_tokens ? `${count(receipt.reasoning_tokens)} of it reasoning` : undefined,
    receipt.usage_source === 'provider' ? receipt.usage_quality : receipt.usage_source,
  ]
  return said.filter((text) => text !== undefined).join(' · ')
}

/** The cost and what it is measured against, each only where it says something else. */
const moneyEntries = (receipt: Receipt): readonly Entry[] => {
  const differs = (usd: string | undefined) => usd !== undefined && usd !== receipt.cost_usd
  const shown = (usd: string | undefined) => (differs(usd) ? exactMoney(usd) : undefined)
  const split = [
    ['input', receipt.input_cost_usd],
    ['output', receipt.output_cost_usd],
    ['fees', receipt.fee_cost_usd],
  ].flatMap(([name, usd]) => (usd === undefined || Number(usd) === 0 ? [] : [`${name} ${exactMoney(usd)}`]))
  const unknown = receipt.price_state === 'none' ? '$0.00 (nothing was billed)' : receipt.price_state
  const cost = receipt.cost_usd === undefined ? unknown : exactMoney(receipt.cost_usd)
  return [
    ['cost', split.length === 0 ? cost : `${cost}  (${split.join(' + ')})`],
    ['list price', shown(receipt.list_cost_usd)],
    ['without levers', shown(receipt.counterfactual_cost_usd)],
    ['provider says', receipt.stated_cost_usd === undefined ? undefined : exactMoney(receipt.stated_cost_usd)],
    ['reserved', receipt.outcome === 'unknown' ? money(receipt.reserved_usd) : undefined],
  ]
}

const levers = (receipt: Receipt, colours: Paint): string | undefined => {
  const lines = (receipt.levers ?? []).map(({ name, action, saving_usd: saved, why }) =>
    clean(`${name} ${action}${saved === undefined ? '' : `, saved ${exactMoney(saved)}`}: ${why}`),
  )
  return lines.length === 0 ? undefined : lines.map((line) => colours.green(line)).join('\n')
}

const titleOf = (receipt: Receipt, many: number): string => {
  if (receipt.corrects !== undefined) return `Correction of ${receipt.corrects}`
  return many === 1 ? 'Attempt' : `Attempt ${receipt.attempt} of ${many}`
}

const attemptText = (receipt: Receipt, many: number, look: Look, colours: Paint): string => {
  const ended = colours[outcomeStyle(receipt)](clean(outcomeText(receipt)))
  const title = `${colours.bold(titleOf(receipt, many))}  ${ended}`
  const first = took(receipt.started_at_us, receipt.first_token_at_us)
  const time = [took(receipt.started_at_us, receipt.ended_at_us), first && `first token after ${first}`].filter(Boolean)
  const http = receipt.http_status === undefined ? undefined : `HTTP ${receipt.http_status}`
  const entries: readonly Entry[] = [
    ['receipt', receipt.receipt_id],
    ['model', what(receipt)],
    ['request', request(receipt)],
    ['answer', [http, receipt.finish_reason, receipt.provider_response_id].filter(Boolean).join(' · ') || undefined],
    ['time', time.length === 0 ? undefined : time.join(', ')],
    ['tokens', usageText(receipt)],
    ['prompt', anatomy(receipt, look, colours)],
    ...moneyEntries(receipt),
    ['levers', levers(receipt, colours)],
    ['warnings', receipt.warnings?.length ? colours.yellow(clean(receipt.warnings.join('; '))) : undefined],
  ]
  return [`${title}\n${facts(entries, look)}`, linesTable(receipt, look)].filter((text) => text !== '').join('\n\n')
}

/** What all receipts of the call cost; a `+` says that some have no price. */
const sumText = (receipts: readonly Receipt[]): string => {
  const known = sum(receipts.flatMap(({ cost_usd }) => (cost_usd === undefined ? [] : [parseUsd(cost_usd)])))
  return exactMoney(known) + (receipts.some(({ price_state }) => price_state === 'unpriced') ? '+' : '')
}

export type CallPage = Readonly<{ receipts: readonly Receipt[]; zone: string; prices: readonly PriceRow[] }>

const callText = (receipts: readonly Receipt[], first: Receipt, zone: string, look: Look): string => {
  const attempts = receipts.filter(({ corrects }) => corrects === undefined)
  const last = attempts.at(-1) ?? first
  const colours = paint(look)
  const whole = took(first.started_at_us, last.ended_at_us)
  const entries: readonly Entry[] = [
    ['began', `${moment(first.started_at_us, zone)} ${zone}${whole === undefined ? '' : `, took ${whole}`}`],
    ['payer', payer(last) ?? colours.dim('nobody named: send x-weir-team, x-weir-feature, x-weir-customer')],
    ['trace', last.trace_id],
    ['origin', last.origin === 'live' ? undefined : last.origin],
    ['cost', receipts.length === 1 ? undefined : `${sumText(receipts)} in ${plural(receipts.length, 'receipt')}`],
  ]
  const texts = receipts.map((receipt) => attemptText(receipt, attempts.length, look, colours))
  return [`${colours.title('Call')} ${first.call_id}\n${facts(entries, look)}`, ...texts].join('\n\n')
}

/**
 * A call in whole: payer, attempts, every line priced, and each price row with its source. The id of a response can belong
 * to several calls, as one in the background is fetched again: each is shown. Undefined for no receipts.
 */
export const renderCall = ({ receipts, zone, prices: rows }: CallPage, look: Look): string | undefined => {
  if (receipts.length === 0) return undefined
  const calls = Map.groupBy(receipts, ({ call_id }) => call_id)
  const texts = [...calls.values()].flatMap((own) => (own[0] ? [callText(own, own[0], zone, look)] : []))
  const prices = pricesText(receipts, rows, look)
  return [...texts, ...(prices === '' ? [] : [prices])].join('\n\n')
}
