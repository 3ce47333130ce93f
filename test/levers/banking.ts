/** Real questions of bank customers with one of 77 intents, in a seeded order; undefined where the data is not there. */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { chance } from '../../src/core/chance.ts'

const FILE = new URL('../../../shared/data/banking77_train.csv.gz', import.meta.url)

export type Asked = Readonly<{ text: string; intent: string }>

export const isThere = existsSync(FILE)

/** All questions; in the file's order, which is by intent, or shuffled by a seed. */
export const questions = (order: 'file' | number): Asked[] => {
  const rows = parse(gunzipSync(readFileSync(FILE)), { columns: true }) as { text: string; category: string }[]
  const asked = rows.map(({ text, category }) => ({ text: text.trim(), intent: category }))
  if (order === 'file') return asked
  const random = chance(order)
  for (let index = asked.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1))
    const [a, b] = [asked[index], asked[other]]
    if (a && b) [asked[index], asked[other]] = [b, a]
  }
  return asked
}
