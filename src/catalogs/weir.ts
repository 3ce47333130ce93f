import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Catalog } from '../core/catalog.ts'
import { WeirError } from '../core/errors.ts'
import type { PriceRow } from '../core/price.ts'
import { expandFiles, type Named } from './price-file/expand.ts'
import { parsePriceFile } from './price-file/schema.ts'

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

/** Reads the price files of a folder, in the order of their names. Throws WeirError `bad-config` naming file, row and field. */
export const readPriceFiles = (folder: string): Named[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => ({ name, file: parsePriceFile(name, readFileSync(join(folder, name), 'utf8')) }))

/** A short hash that changes whenever a row changes. */
export const versionOf = (rows: readonly PriceRow[]): string =>
  createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, 12)

/** Weir's own prices: one dated, sourced file a provider. */
export const catalog: Catalog = {
  name: 'weir',
  async rows(path = pricesFolder()) {
    const rows = expandFiles(readPriceFiles(path))
    return { version: versionOf(rows), rows }
  },
}
