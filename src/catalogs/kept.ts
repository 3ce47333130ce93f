import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PriceRow } from '../core/price.ts'
import { pricesFolder } from './folder.ts'

/** The rows that the package itself brings: its own files and the catalogue for breadth, with a version for both. */
export type PackageRows = Readonly<{ version: string; rows: readonly PriceRow[] }>

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? join(folder, entry.name) : []))

/** The code that reads price files, down to the names of meters. In the package it is this file, whose imports are named by their content. */
const codeFiles = (): string[] => {
  const here = fileURLToPath(import.meta.url)
  if (here.endsWith('.js')) return [here]
  const folder = dirname(here)
  const source = dirname(folder)
  const folders = [folder, join(folder, 'price-file'), join(folder, 'genai'), join(source, 'playbook', 'price')]
  return [...folders.flatMap(filesIn), join(source, 'core', 'usage.ts')]
}

/** Everything that the rows follow from: the price files, the catalogue's release, and the code that reads them. */
const sourcesKey = (): string => {
  const key = createHash('sha256')
  for (const file of [...filesIn(pricesFolder()), ...codeFiles()]) key.update(basename(file)).update(readFileSync(file))
  const catalogue = createRequire(import.meta.url).resolve('@pydantic/genai-prices')
  return key.update(readFileSync(catalogue)).digest('hex')
}

const keptPath = (): string => join(dirname(pricesFolder()), '.cache', 'price-rows.json')

const read = (key: string): PackageRows | undefined => {
  try {
    const kept = JSON.parse(readFileSync(keptPath(), 'utf8')) as PackageRows & Readonly<{ key: string }>
    return kept.key === key ? { version: kept.version, rows: kept.rows } : undefined
  } catch {
    return undefined
  }
}

const write = (key: string, { version, rows }: PackageRows): void => {
  const path = keptPath()
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.${process.pid}`, JSON.stringify({ key, version, rows }))
    renameSync(`${path}.${process.pid}`, path)
  } catch {
    // A package folder that cannot be written costs a few hundred milliseconds at every start, and nothing else.
  }
}

/**
 * The package's price rows, read from the sources once and then kept beside them: parsing and checking the files takes longer
 * than everything else at start. What is kept counts only for exactly these sources and this code.
 */
export const keepRows = async (load: () => Promise<PackageRows>): Promise<PackageRows> => {
  const key = sourcesKey()
  const kept = read(key)
  if (kept) return kept
  const loaded = await load()
  write(key, loaded)
  return loaded
}
