import { defineCommand } from 'citty'
import { verb as extent } from '../verbs/extent.ts'
import type { Owner, TeamOwner } from '../verbs/owners/tree.ts'
import { type Owners, verb as owners } from '../verbs/owners.ts'
import { perform } from '../verbs/perform.ts'
import { folderArgs, nothingFound, windowArgs, windowTitle } from './asking.ts'
import { withContext } from './calling.ts'
import { countFlag } from './numbers.ts'
import { costCell, isUnknown } from './report/columns.ts'
import { count, money, moneyColumn, nothing, percent, plural } from './show/format.ts'
import { type Look, lookOf, paint } from './show/look.ts'
import { print, printJson } from './show/output.ts'
import { table } from './show/table.ts'

type Line = Readonly<{ text: string; owner: Owner }>

/** A team, below it its features, below them their keys; what has only one unnamed part is not spread out. */
const linesOf = (team: TeamOwner): readonly Line[] => [
  { text: team.name, owner: team },
  ...team.features.flatMap((feature): Line[] => [
    ...(feature.name === '(none)' && team.features.length === 1 ? [] : [{ text: `  ${feature.name}`, owner: feature }]),
    ...feature.keys
      .filter(({ id }) => id !== null)
      .map((key) => ({ text: `    ${key.name}${key.state === 'revoked' ? ' (revoked)' : ''}`, owner: key })),
  ]),
]

const ownersTable = (lines: readonly Line[], head: string, look: Look): string => {
  const cost = moneyColumn(lines.map(({ owner }) => owner.cost_usd))
  return table(
    lines,
    [
      { head, cell: ({ text }) => text, shrink: 12, names: true },
      { head: 'cost', cell: ({ owner }) => costCell(owner, cost), align: 'right' },
      { head: 'share', cell: ({ owner }) => (isUnknown(owner) ? nothing : percent(owner.share)), align: 'right' },
      { head: 'calls', cell: ({ owner }) => count(owner.calls), align: 'right', drop: 1 },
    ],
    look,
    { indent: 2 },
  )
}

const renderOwners = (found: Owners, look: Look): string => {
  const colours = paint(look)
  const { organisation, cost_usd, unallocated, teams, customers, users, more } = found
  const rest = (what: string, further: number, shown: number): string =>
    further === 0 ? '' : `\n  ${colours.dim(`and ${plural(further, `further ${what}`)}: --limit ${shown + further}`)}`
  const beside = (rows: readonly Owner[], head: 'customer' | 'user'): string[] => {
    const further = more[`${head}s`]
    if (further === 0 && rows.every(({ name }) => name === 'unallocated')) return []
    const lines = rows.map((owner) => ({ text: owner.name, owner }))
    return [ownersTable(lines, head, look) + rest(head, further, rows.length)]
  }
  return [
    `${colours.title(organisation === null ? 'Owners' : `Owners of ${organisation}`)} ${colours.dim(windowTitle(found.window))}`,
    `  ${money(cost_usd)} in all, ${percent(unallocated.share)} of it unallocated (${money(unallocated.cost_usd)}).`,
    ownersTable(teams.flatMap(linesOf), 'team, feature, key', look) + rest('team', more.teams, teams.length),
    ...beside(customers, 'customer'),
    ...beside(users, 'user'),
  ].join('\n\n')
}

const { where: _, ...window } = windowArgs

export const command = {
  ...defineCommand({
    meta: {
      name: 'owners',
      description: 'Show spend by owner: teams with their features and keys, customers, users, and untagged spend.',
    },
    args: {
      ...window,
      limit: { type: 'string', valueHint: 'N', description: 'Owners at most of each kind (20; JSON 1000)' },
      ...folderArgs,
    },
    run: ({ args }) =>
      withContext(args, 'weir owners', async (context) => {
        const { since, until, zone } = args
        const limit = countFlag('--limit', args.limit, args.json ? 1000 : 20)
        const found = await perform(owners, { since, until, zone, limit }, context)
        if (args.json) printJson(found)
        else if (found.teams.length === 0) print(nothingFound(await perform(extent, {}, context), found.window, false))
        else print(renderOwners(found, lookOf()))
      }),
  }),
  examples: [['weir owners --since month', 'who spent what this month']],
} as const
