import { loadBook } from '../../catalogs/load.ts'
import { loadSettings } from '../../config.ts'
import type { PriceBook } from '../../core/price.ts'
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

/** The whole price book: contract prices of the configuration, our own files, the public catalogue. */
export const openBook = async (flags: Readonly<{ config?: string | undefined }>): Promise<PriceBook> => {
  const settings = loadSettings({ cwd: process.cwd(), env: process.env, flags: { config: flags.config }, providers })
  return compileBook(await loadBook(settings.prices))
}

/** The asked moment in µs; now where none is asked. Throws WeirError `bad-input` when it is no time. */
export const momentOf = (at: string | undefined): number => {
  const now_ms = Date.now()
  return (at === undefined ? now_ms : parseTime(at, now_ms, 'UTC', '--at')) * 1000
}
