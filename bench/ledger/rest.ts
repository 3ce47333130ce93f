/** Opens a ledger in a process of its own, asks, waits, and says what memory it holds: `node bench/ledger/rest.ts PATH FROM_US TO_US`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { open } from '../../src/ledgers/duckdb.ts'

const [path = '', from, to] = process.argv.slice(2)
const window = { from_us: Number(from), to_us: Number(to) }
const rss_mb = () => Math.round(process.memoryUsage.rss() / 1e6)
const node_mb = rss_mb()
const ledger = await open({ path })
const opened_mb = rss_mb()
await ledger.query({ ask: 'spend', window, group_by: ['day', 'team'] })
await ledger.query({ ask: 'spend', window, group_by: ['customer'], compare: true })
const asked_mb = rss_mb()
await sleep(4000)
console.log(JSON.stringify({ node_mb, opened_mb, asked_mb, rested_mb: rss_mb() }))
await ledger.close()
