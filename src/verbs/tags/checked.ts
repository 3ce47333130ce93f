import type { VirtualTag } from '../../core/allocation.ts'
import { readTagRules } from '../../playbook/allocate/tags/read.ts'
import { InputError } from '../perform.ts'

/** Rules as they may be put in force. Throws InputError that names every wrong rule and field. */
export const checkedRules = (given: readonly unknown[], field: string): readonly VirtualTag[] => {
  const { rules, problems } = readTagRules(given)
  if (problems.length === 0) return rules as readonly VirtualTag[]
  throw new InputError(
    problems.map(({ rule, field: inner, message }) => ({
      field: [rule === 0 ? field : `${field}[${rule - 1}]`, inner].filter((part) => part !== '').join('.'),
      message,
    })),
  )
}
