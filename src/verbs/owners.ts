import { z } from 'zod'
import { UNALLOCATED } from '../playbook/allocate/statement/owners.ts'
import { owners as ownersAnswer } from './answers/spend.ts'
import { limit, windowFields } from './asking/fields.ts'
import { type NamedWindow, windowIn } from './asking/window.ts'
import { shownKey } from './keys/shown.ts'
import { type Owner, ownersBeside, ownersTree, type TeamOwner } from './owners/tree.ts'
import { defineVerb } from './verb.ts'

export type Owners = Readonly<{
  window: NamedWindow
  /** Null where weir.yaml names none. */
  organisation: string | null
  cost_usd: string
  /** Spend that names no team: an owner like any other, with its share. */
  unallocated: Readonly<{ cost_usd: string; share: number | null }>
  teams: readonly TeamOwner[]
  customers: readonly Owner[]
  users: readonly Owner[]
  /** How many of each kind the limit left out. */
  more: Readonly<Record<'teams' | 'customers' | 'users', number>>
}>

export const verb = defineVerb({
  name: 'owners',
  describes:
    'Spend by owner: the organisation, its teams with their features and keys, customers, users, and untagged spend.',
  access: 'team',
  http: { method: 'GET', path: '/v1/owners' },
  input: z.strictObject({ ...windowFields, limit: limit(1000, 100_000) }),
  output: ownersAnswer,
  async run({ limit: most, ...asked }, context): Promise<Owners> {
    const { field } = context
    const ledger = await context.ledger()
    const window = await windowIn(ledger, { ...asked, usual: '30d', now_us: context.now_us(), field })
    const spend = (...group_by: ('team' | 'feature' | 'key_id' | 'customer' | 'user')[]) =>
      ledger.query({ ask: 'spend', window: window.window, group_by, zone: window.zone })
    const { rows, total } = await spend('team', 'feature', 'key_id')
    const keys = (await (await context.store()).keys.list()).map((key) => shownKey(key, context.now_us()))
    const teams = ownersTree(rows, keys, total.cost_usd)
    const nobody = teams.find(({ name }) => name === UNALLOCATED)
    const settings = await context.settings().catch(() => undefined)
    const beside = async (by: 'customer' | 'user') => ownersBeside((await spend(by)).rows, by, total.cost_usd)
    const [customers, users] = [await beside('customer'), await beside('user')]
    const beyond = (all: readonly Owner[]) => Math.max(0, all.length - most)
    return {
      window,
      organisation: settings?.organisation ?? null,
      cost_usd: total.cost_usd,
      unallocated: { cost_usd: nobody?.cost_usd ?? '0', share: nobody?.share ?? 0 },
      teams: teams.slice(0, most),
      customers: customers.slice(0, most),
      users: users.slice(0, most),
      more: { teams: beyond(teams), customers: beyond(customers), users: beyond(users) },
    }
  },
})
