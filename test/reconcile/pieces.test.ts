/** Pictures, speech, transcriptions and moderation: OpenAI's own reports of them beside a ledger's receipts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Receipt, ReceiptLine } from '../../src/core/receipt.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { weir } from '../cli/run.ts'
import { receipt, usd, writeSegment } from '../ledger/receipts.ts'
import { adminKey, type BillingServer, startBilling } from './billing-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-pieces-'))
let server: BillingServer
beforeAll(async () => {
  server = await startBilling()
  writeFileSync(join(folder, 'weir.yaml'), `providers:\n  openai:\n    options:\n      billing_url: ${server.url}/v1\n`)
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

type Call = Readonly<{ model: string; meter?: ReceiptLine['meter']; quantity?: number; cost?: string }>

/** A receipt of the first of November. */
const called = ({ model, meter, quantity = 0, cost = '0' }: Call): Receipt =>
  receipt({
    started_at_us: Date.UTC(2026, 10, 1, 12) * 1000,
    model_asked: model,
    model_served: model,
    cost_usd: usd(cost),
    lines: meter === undefined ? [] : [{ kind: 'message', model, meter, quantity, cost_usd: usd(cost) }],
  })
const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one)

const speech = called({ model: 'tts-1', meter: 'tts.char', quantity: 1000, cost: '0.015' })
const heard = called({ model: 'whisper-1', meter: 'audio_in.second', quantity: 120, cost: '0.012' })
const drawn = called({ model: 'gpt-image-2', meter: 'out.image.visible', quantity: 1500, cost: '0.045' })
const moderated = called({ model: 'omni-moderation-latest' })
const all = [...times(2, speech), ...times(5, heard), ...times(2, drawn), ...times(4, moderated)]

type Side = Readonly<{ provider: number; ledger: number; parts: object; residual: number }>
type Money = Readonly<{ provider_usd: string; ledger_usd: string; parts_usd: object; residual_usd: string }>
type Line = Readonly<{ model: string | null; kinds: readonly string[]; tokens?: Side; pieces?: Side; cost?: Money }>

let made = 0
/** `weir reconcile openai` over the first of November, with these receipts in the ledger. */
const reconciled = async (receipts: readonly Receipt[], ...words: string[]): Promise<string> => {
  made += 1
  const data = join(folder, `data-${made}`)
  const path = join(folder, `segment-${made}.ndjson`)
  mkdirSync(data)
  writeSegment(
    path,
    receipts.map((one, at) => ({ ...one, receipt_id: `receipt-${made}-${at}`, call_id: `call-${made}-${at}` })),
  )
  const ledger = await open({ path: join(data, 'ledger.duckdb') })
  await ledger.append({ name: `segment-${made}`, path })
  await ledger.close()
  const asked = ['reconcile', 'openai', '--since', '2026-11-01', '--until', '2026-11-02', '--data', data, ...words]
  const { out, err } = await weir(asked, { cwd: folder, env: { OPENAI_ADMIN_KEY: adminKey, COLUMNS: '120' } })
  process.exitCode = undefined
  expect(err).toBe('')
  return out
}
const linesOf = async (receipts: readonly Receipt[]): Promise<readonly string[]> => {
  const { lines } = JSON.parse(await reconciled(receipts, '--json')) as { lines: readonly Line[] }
  return lines
    .filter(({ model }) => !model?.startsWith('gpt-5.5'))
    .map(({ model, kinds, tokens, pieces, cost }) => {
      const counted =
        pieces && `${pieces.provider}/${pieces.ledger} ${JSON.stringify(pieces.parts)} open ${pieces.residual}`
      const paid =
        cost && `$${cost.provider_usd}/${cost.ledger_usd} ${JSON.stringify(cost.parts_usd)} open ${cost.residual_usd}`
      return [model ?? '-', kinds.join('+'), tokens && 'tokens', counted, paid].filter((part) => part).join(' | ')
    })
}

const without = (some: Receipt, count: number): readonly Receipt[] => {
  const kept = all.filter((one) => one !== some)
  return [...kept, ...times(all.length - kept.length - count, some)]
}
const lineOf = async (model: string, receipts: readonly Receipt[]): Promise<readonly string[]> =>
  (await linesOf(receipts)).filter((text) => text.startsWith(model))

describe('what is billed by the piece', () => {
  test('is compared by its own unit, or by requests where the ledger counts tokens; unknown names stay fees', async () => {
    expect(await linesOf(all)).toEqual([
      'gpt-image-2 | request | 2/2 {} open 0',
      'gpt-image-2 | output | $0.09/0.09 {} open 0',
      'omni-moderation-latest | request | 4/4 {} open 0',
      'tts-1 | character | 2000/2000 {} open 0 | $0.03/0.03 {} open 0',
      'whisper-1 | second | 600/600 {} open 0 | $0.06/0.06 {} open 0',
      '- | fee | $0.02/0 {"fee":"0.02"} open 0',
    ])
  })

  test('and never passed Weir is bypass, pieces and dollars', async () => {
    expect(await lineOf('whisper-1', without(heard, 2))).toEqual([
      'whisper-1 | second | 600/360 {"bypass":240} open 0 | $0.06/0.036 {"bypass":"0.024"} open 0',
    ])
    expect(await lineOf('tts-1', without(speech, 2))).toEqual([
      'tts-1 | character | 2000/0 {"bypass":2000} open 0 | $0.03/0 {"bypass":"0.03"} open 0',
    ])
    expect(await lineOf('gpt-image-2', without(drawn, 1))).toEqual([
      'gpt-image-2 | request | 2/1 {"bypass":1} open 0',
      'gpt-image-2 | output | $0.09/0.045 {"bypass":"0.045"} open 0',
    ])
  })

  test('and is in the ledger alone is open, which is not reconciled', async () => {
    const more = [...all, heard]
    expect(await lineOf('whisper-1', more)).toEqual([
      'whisper-1 | second | 600/720 {} open -120 | $0.06/0.072 {} open -0.012',
    ])
    const { reconciled: agrees, pieces } = JSON.parse(await reconciled(more, '--json')) as {
      reconciled: boolean
      pieces: readonly Readonly<{ kind: string; open: number }>[]
    }
    expect(agrees).toBe(false)
    expect(pieces.map(({ kind, open: left }) => [kind, left])).toEqual([
      ['second', 120],
      ['character', 0],
      ['request', 0],
    ])
  })

  test('is shown beside the tokens, each kind with its own coverage', async () => {
    expect(await reconciled(without(heard, 2))).toMatchInlineSnapshot(`
      "Reconciliation openai 2026-11-01 – 2026-11-01 UTC

        tokens      provider 1.1M · Weir 0 · coverage 0 % 
        seconds     provider 600 · Weir 360 · coverage 60 % █████████▋
        characters  provider 2.0k · Weir 2.0k · coverage 100 % ████████████████
        requests    provider 6 · Weir 6 · coverage 100 % ████████████████
        dollars     provider $1.78 · Weir $0.156 · coverage 8.8 % █▍
        open        0 tokens (0 %), $0.00 (0 %)
        ✓ reconciled (open may be 0.1 % of tokens, 0.5 % of dollars)
        ! $1.60 (90 % of the bill) never passed Weir

      By model and kind of token
        model                   kind         count  Weir  coverage            billed   Weir  difference  why
        gpt-5.5                 cache read    300k     0       0 %             $0.08  $0.00     +$0.075  bypass
        gpt-5.5                 cache write   100k     0       0 %                 –      –           –  bypass
        gpt-5.5                 input         600k     0       0 %             $1.50  $0.00      +$1.50  bypass
        gpt-5.5                 output       50.0k     0       0 %                 –      –           –  bypass
        gpt-image-2             requests         2     2     100 %  ████████       –      –           –
        gpt-image-2             output           –     –         –             $0.09  $0.09           =
        omni-moderation-latest  requests         4     4     100 %  ████████       –      –           –
        tts-1                   characters    2.0k  2.0k     100 %  ████████   $0.03  $0.03           =
        whisper-1               seconds        600   360      60 %  ████▊      $0.06  $0.04     +$0.024  bypass
        –                       fee              –     –         –             $0.02  $0.00      +$0.02  fee

      Why they differ
        why     tokens  dollars  share            what it is
        bypass   +1.1M   +$1.60   99 %  ███████▉  spend that never passed Weir
        fee          =   +$0.02  1.2 %  ▏         billed by the piece, not by the token
      "
    `)
  })
})
