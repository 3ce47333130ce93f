/** Streams receipts as a replay reads them, and says what it takes: `node bench/ledger/stream.ts PATH [receipts]`. */
import { DuckDBDoubleVector, DuckDBInstance } from '@duckdb/node-api'
import { layout } from '../../src/core/columns.ts'
import { storedColumns } from '../../src/ledgers/duckdb/taken.ts'

const [path = '', most = '1000000'] = process.argv.slice(2)

const unasked = [
  'call_id',
  'provider_response_id',
  'corrects',
  'tags',
  'fee_cost_usd',
  'list_cost_usd',
  'meters',
  'rest',
]
const asked = storedColumns.filter(([name]) => !unasked.includes(name))

/** Doubles come as typed arrays, wide integers and decimals as objects; the texts of a row cross over as one, which costs a third. */
const numbers = asked.filter(([, type]) => type !== 'VARCHAR').map(([name]) => `"${name}"::DOUBLE`)
const texts = asked.filter(([, type]) => type === 'VARCHAR').map(([name]) => `coalesce("${name}", '')`)
const BETWEEN = '\u001d'

const instance = await DuckDBInstance.create(path, { access_mode: 'READ_ONLY', threads: '2', memory_limit: '512MB' })
const connection = await instance.connect()
const started = performance.now()
const cpu = process.cpuUsage()
// Receipts lie in the table nearly as they came; a reader that needs them in order sorts each chunk with the next.
const result = await connection.stream(
  `SELECT ${numbers.join(', ')}, ${texts.join(` || chr(29) || `)} FROM packed LIMIT ${Number(most)}`,
)
const seen = { rows: 0, prefixes: 0, sum: 0 }
for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
  for (const at of numbers.keys()) {
    const vector = chunk.getColumnVector(at)
    if (vector instanceof DuckDBDoubleVector) seen.sum += vector.getItem(0) ?? 0
  }
  for (const row of chunk.getColumnValues(numbers.length)) {
    const [hashes = ''] = (String(row).split(BETWEEN).at(-1) ?? '').split('\u001f')
    seen.prefixes += hashes === '' ? 0 : hashes.split(',').length
  }
  seen.rows += chunk.rowCount
}
const { user, system } = process.cpuUsage(cpu)
const ms = Math.round(performance.now() - started)
const us = ((user + system) / seen.rows).toFixed(2)
console.log(
  `${seen.rows} receipts, ${asked.length} of ${layout.length} columns, ${seen.prefixes} prefixes: ${ms} ms, ${us} µs of CPU a receipt`,
)
