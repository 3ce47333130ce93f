/** What a call costs, beside the total: the arms of an experiment differ in how many calls they get. */
import { describe, expect, test } from 'vitest'
import { costPerCall } from '../../src/verbs/spend/report.ts'
import { ledgerFolder, receipts } from './fixture.ts'
import { weir } from './run.ts'

const answers = receipts.filter(({ team, feature }) => team === 'search' && feature === 'answers')
const arms = answers.map((receipt, i) => ({ ...receipt, experiment: 'autumn', arm: i === 0 ? 'control' : 'levers' }))

describe('weir report --by experiment,arm', async () => {
  const folder = await ledgerFolder(arms)
  const ask = async (...words: string[]) => {
    const window = ['--since', 'all', '--data', folder.data]
    return (await weir(['report', '--by', 'experiment,arm', ...window, ...words])).out
  }

  test('has the cost of a call, also on a narrow terminal, in JSON and as CSV', async () => {
    const { sections } = JSON.parse(await ask('--json'))
    const [levers, control] = sections[0].rows
    // 450k × $2.5, 200k × $0.25 and 16.5k × $15 a million; then 40k × $2.5 and 2k × $15.
    expect(levers).toMatchObject({ calls: 5, cost_usd: '1.4225', cost_per_call_usd: '0.2845' })
    expect(control).toMatchObject({ calls: 1, cost_usd: '0.13', cost_per_call_usd: '0.13' })
    const [head = '', first = ''] = (await ask('--csv')).split('\r\n')
    expect(first.split(',')[head.split(',').indexOf('cost_per_call_usd')]).toBe('0.2845')
    for (const columns of ['120', '60']) {
      const { out } = await weir(['report', '--by', 'experiment,arm', '--since', 'all', '--data', folder.data], {
        env: { COLUMNS: columns },
      })
      expect(out).toMatch(/^ +experiment +arm .* calls +per call/m)
      expect(out).toMatch(/^ +autumn +levers .* 5 +\$0\.285\b/m)
      expect(out).toMatch(/^ +autumn +control .* 1 +\$0\.130\b/m)
    }
  })
})

describe('the cost of a call', () => {
  const row = { cost_usd: '1', calls: 3, unpriced_calls: 0, unmetered_calls: 0 }

  test('is rounded to the picodollar', () => {
    expect(costPerCall(row)).toBe('0.333333333333')
  })

  test('leaves out calls whose cost nobody knows, and is not known where that is all of them', () => {
    expect(costPerCall({ ...row, unpriced_calls: 1 })).toBe('0.5')
    expect(costPerCall({ ...row, unpriced_calls: 2, unmetered_calls: 1 })).toBe(null)
    expect(costPerCall({ ...row, cost_usd: '0', calls: 0 })).toBe(null)
  })
})
