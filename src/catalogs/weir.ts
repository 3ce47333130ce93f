import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Catalog } from '../core/catalog.ts'
import { pricesFolder, versionOf } from './folder.ts'
import { expandFiles, type Named } from './price-file/expand.ts'
import { parsePriceFile } from './price-file/schema.ts'

/** Reads the price files of a folder, in the order of their names. Throws WeirError `bad-config` naming file, row and field. */
const readPriceFiles = (folder: string): Named[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => ({ name, file: parsePriceFile(name, readFileSync(join(folder, name), 'utf8')) }))

/** Weir's own prices: one dated, sourced file a provider. */
export const catalog: Catalog = {
  name: 'weir',
  async rows(path = pricesFolder()) {
    const rows = expandFiles(readPriceFiles(path))
    return { version: versionOf(rows), rows }
  },
}
