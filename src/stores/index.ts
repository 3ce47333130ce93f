// Written by `npm run fix`: one line for each file.
import { open as sqlite } from './sqlite.ts'

export const stores = {
  sqlite,
}
