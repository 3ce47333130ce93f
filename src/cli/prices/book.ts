import { loadBook } from '../../catalogs/load.ts'
import { loadSettings } from '../../config.ts'
import type { PriceBook } from '../../core/price.ts'
import type { Settings } from '../../core/settings.ts'
import { compileBook } from '../../playbook/price/book.ts'
import { providers } from '../../providers/index.ts'
import { parseTime } from '../show/time.ts'

export const bookArgs = {
  config: {
    type: 'string',
    valueHint: 'FILE',
    description: 'Configuration file with contract prices (or WEIR_CONFIG; ./weir.yaml otherwise)',
  },
  at: {
    type: 'string',
    valueHint: 'TIME',
    description: 'Use the prices in force at this moment, e.g. 2026-12-01 or 7d; now by default',
  },
} as const

type Flags = Readonly<{ config?: string | undefined }>

export const settingsOf = ({ config }: Flags): Settings =>
  loadSettings({ cwd: process.cwd(), env: process.env, flags: { config }, providers })

/** The whole price book: contract prices of the configuration, our own files, the public catalogue. */
export const bookOf = async ({ prices }: Settings): Promise<PriceBook> => compileBook(await loadBook(prices))

export const openBook = (flags: Flags): Promise<PriceBook> => bookOf(settingsOf(flags))

/** The asked moment in µs; now where none is asked. Throws WeirError `bad-input` when it is no time. */
export const momentOf = (at: string | undefined): number => {
  const now_ms = Date.now()
  return (at === undefined ? now_ms : parseTime(at, now_ms, 'UTC', '--at')) * 1000
}
