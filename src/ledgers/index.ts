// Written by `npm run fix`: one line for each file.
import { open as duckdb } from './duckdb.ts'

export const ledgers = {
  duckdb,
}
