import type { UnitCostQuestion } from '../../playbook/allocate/unit-cost/ask.ts'

export type UnitCostsAsked = Pick<UnitCostQuestion, 'kind' | 'by' | 'window' | 'zone' | 'slices'>
