/** What a lever risks and takes, in words. */
import type { Lever } from '../../core/lever.ts'

export const riskNames: Readonly<Record<Lever['traits']['risk'], string>> = {
  none: 'none',
  bounded: 'bounded',
  'needs-eval': 'needs an eval',
}

export const effortNames: Readonly<Record<Lever['traits']['effort'], string>> = {
  switch: 'a switch',
  configure: 'some settings',
  project: 'a project',
}
