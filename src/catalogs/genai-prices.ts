import { waitForUpdate } from '@pydantic/genai-prices'
import type { Catalog } from '../core/catalog.ts'
import { WeirError } from '../core/errors.ts'
import { versionOf } from './folder.ts'
import { genaiRows } from './genai/rows.ts'

/** The day on which the installed release of the data was published. */
const release = { version: '0.1.8', checked_at: '2026-09-23' }

/** Breadth: the data of `@pydantic/genai-prices`. Its engine never bills, and none of its patterns is a price. */
export const catalog: Catalog = {
  name: 'genai-prices',
  async rows() {
    const data = await waitForUpdate()
    if (data === null)
      throw new WeirError('bad-config', 'the data of @pydantic/genai-prices is missing: install it again')
    const stamp = { source: `@pydantic/genai-prices ${release.version}`, checked_at: release.checked_at }
    const rows = genaiRows(data, stamp)
    return { version: versionOf(rows), rows }
  },
}
