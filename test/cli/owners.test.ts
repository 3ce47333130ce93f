/** Who spends, where nobody knows what some of the calls cost. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ledgerFolder, receipts } from './fixture.ts'
import { weir } from './run.ts'

test('weir owners shows no cost where nobody knows one, and marks a sum that lacks some', async () => {
  const labs = receipts.filter(({ team }) => team === 'labs')
  const unpriced = labs.filter(({ price_state }) => price_state === 'unpriced')
  const tone = unpriced.map((receipt) => ({ ...receipt, team: 'tone', receipt_id: 'r-2', call_id: 'c-2' }))
  const folder = await ledgerFolder([...labs, ...tone])
  const ask = async (...words: string[]) =>
    (await weir(['owners', '--since', 'all', '--data', folder.data, ...words])).out
  const text = await ask()
  expect(text).toMatch(/^ +labs +\$0\.00325\+ +100 % +2$/m)
  expect(text).toMatch(/^ +tone +– +– +1$/m)
  expect(JSON.parse(await ask('--json')).teams).toMatchObject([
    { name: 'labs', calls: 2, unpriced_calls: 1, unmetered_calls: 0 },
    { name: 'tone', calls: 1, unpriced_calls: 1, cost_usd: '0' },
  ])
  folder.clear()
})

test('weir owners names the organisation where the configuration does, and none where it does not', async () => {
  const { data, clear } = await ledgerFolder()
  const config = join(data, 'weir.yaml')
  writeFileSync(config, 'organisation: Acme\n')
  const ask = async (...words: string[]) => (await weir(['owners', '--since', 'all', '--data', data, ...words])).out
  expect(await ask()).toMatch(/^Owners all time/)
  expect(await ask('--config', config)).toMatch(/^Owners of Acme all time/)
  expect(JSON.parse(await ask('--json'))).toMatchObject({ organisation: null })
  clear()
})

test('weir owners says how many its limit leaves out, of each kind', async () => {
  const { data, clear } = await ledgerFolder()
  const ask = async (...words: string[]) => (await weir(['owners', '--since', 'all', '--data', data, ...words])).out
  const all = JSON.parse(await ask('--json'))
  expect(all.more).toEqual({ teams: 0, customers: 0, users: 0 })
  const [teams, customers] = [all.teams.length - 1, all.customers.length - 1]
  const one = JSON.parse(await ask('--json', '--limit', '1'))
  expect(one).toMatchObject({ teams: [{ name: all.teams[0].name }], more: { teams, customers } })
  const text = await ask('--limit', '1')
  expect(text).toContain(`and ${teams} further teams: --limit ${teams + 1}`)
  expect(text).toContain(`and ${customers} further customer`)
  expect(await ask()).not.toContain('further')
  clear()
})
