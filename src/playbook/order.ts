import type { Lever, Play } from '../core/lever.ts'

/** The plays in the order of the playbook. */
export const plays: readonly Play[] = ['route', 'cache', 'batch', 'compact', 'own']

/** Levers in the order in which a call meets them: by play, then by name. */
export const inOrder = (levers: Readonly<Record<string, Lever>>): readonly Lever[] =>
  Object.values(levers).toSorted((a, b) => plays.indexOf(a.play) - plays.indexOf(b.play) || (a.name < b.name ? -1 : 1))
