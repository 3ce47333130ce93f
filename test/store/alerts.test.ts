import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { testAlert } from '../../src/playbook/allocate/alert/make.ts'
import { open } from '../../src/stores/sqlite.ts'
import { alertContract } from './alert-contract.ts'

alertContract('SQLite', async () => {
  const data = mkdtempSync(join(tmpdir(), 'weir-alert-store-'))
  return { open: () => open({ data }), clear: async () => rmSync(data, { recursive: true }) }
})

test('what another process says of an alert is heard by its revision', async () => {
  const data = mkdtempSync(join(tmpdir(), 'weir-alert-store-'))
  const [gateway, command] = [await open({ data }), await open({ data })]
  await gateway.alerts.record([testAlert(1)], [])
  const before = await gateway.revision()
  await command.alerts.judge(testAlert(1).id, { verdict: 'yes', at_us: 2 })
  expect(await gateway.revision()).not.toBe(before)
  expect(await gateway.alerts.judgedSince(0)).toMatchObject([{ opinion: { verdict: 'yes', at_us: 2 } }])
  await gateway.close()
  await command.close()
  rmSync(data, { recursive: true })
})
