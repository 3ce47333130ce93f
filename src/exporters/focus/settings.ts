import { WeirError } from '../../core/errors.ts'
import type { ExportOptions } from '../../core/exporter.ts'
import { type ChargeSettings, versionOf } from '../../playbook/allocate/focus/charge.ts'
import { type Version, versions } from '../../playbook/allocate/focus/columns.ts'
import { scaled } from '../../playbook/allocate/focus/decimals.ts'
import type { MoneyMode } from '../../playbook/allocate/focus/written.ts'

const known = ['version', 'money', 'account', 'account_name', 'draft_keys']

/** The version of FOCUS that a text names. Throws WeirError `bad-input` with those that there are. */
export const parseVersion = (text: string): Version => {
  const version = versionOf(text)
  if (version !== undefined) return version
  throw new WeirError('bad-input', `there is no FOCUS version ${text} here; use ${versions.join(', ')}`, {
    field: 'version',
  })
}

const checkSplits = ({ splits }: ExportOptions, version: Version): void => {
  if (splits.length > 0 && version === '1.2')
    throw new WeirError('bad-input', 'FOCUS 1.2 has no columns for split costs: use version 1.3 or 1.4', {
      field: 'version',
    })
  for (const { id, shares } of splits) {
    if (shares.length === 0) throw new WeirError('bad-input', `split ${id}: shares: nobody is named to bear the cost`)
    for (const { weight } of shares) {
      try {
        if (scaled(weight) < 0n) throw new RangeError()
      } catch {
        throw new WeirError('bad-input', `split ${id}: the weight ${weight} is not a decimal number of zero or more`)
      }
    }
  }
}

export type FocusSettings = Readonly<{ charges: ChargeSettings; version: Version; money: MoneyMode }>

/** What the FOCUS exporter is told beside what all exporters are. Throws WeirError `bad-input` naming the setting. */
export const settingsOf = (options: ExportOptions): FocusSettings => {
  const { settings, grain, adapters, book, splits } = options
  const unknown = Object.keys(settings).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new WeirError('bad-input', `the FOCUS export has no setting ${unknown}; there are: ${known.join(', ')}`)
  const version = parseVersion(settings['version'] ?? '1.4')
  const money = settings['money'] ?? 'decimal'
  if (money !== 'decimal' && money !== 'float-exact')
    throw new WeirError('bad-input', `money ${money}: use decimal or float-exact`)
  checkSplits(options, version)
  const { account: id, account_name: name } = settings
  return {
    version,
    money,
    charges: {
      version,
      grain,
      ...(id === undefined ? {} : { account: { id, ...(name === undefined ? {} : { name }) } }),
      draft_keys: settings['draft_keys'] === 'true',
      adapters,
      book,
      splits,
    },
  }
}
