import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WeirError } from '../core/errors.ts'
import type { PriceRow } from '../core/price.ts'

/** The package's `prices` folder, looked for upwards from this file, so that it is found from `src` and from `dist`. */
export const pricesFolder = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    const candidate = join(folder, 'prices')
    if (existsSync(join(candidate, 'openai.yaml'))) return candidate
    const above = dirname(folder)
    if (above === folder)
      throw new WeirError('bad-config', 'the price files of the package are missing: install it again')
    folder = above
  }
}

/** A short hash that changes whenever a row changes. */
export const versionOf = (rows: readonly PriceRow[]): string =>
  createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, 12)
