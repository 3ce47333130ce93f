import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { VirtualTag } from '../../core/allocation.ts'
import { WeirError } from '../../core/errors.ts'
import { type RuleProblem, readTagRules } from '../../playbook/allocate/tags/read.ts'

/** The value of a YAML or JSON file, `-` being standard input. Throws WeirError `bad-input` naming the file. */
export const readDocument = (path: string): unknown => {
  const name = path === '-' ? 'standard input' : path
  let text: string
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (cause) {
    throw new WeirError('bad-input', `cannot read ${name}: ${(cause as Error).message}`, { cause })
  }
  try {
    return parse(text, { prettyErrors: true }) as unknown
  } catch (cause) {
    throw new WeirError('bad-input', `${name} is not YAML or JSON: ${(cause as Error).message.split('\n')[0]}`, {
      cause,
    })
  }
}

const problemText = ({ rule, name, field, message }: RuleProblem): string => {
  const which = rule === 0 ? '' : `rule ${rule}${name === undefined ? '' : ` (${name})`}`
  return `  ${[which, field].filter((part) => part !== '').join(', ')}${which + field === '' ? '' : ': '}${message}`
}

/** The rules of a file. Throws WeirError `bad-input` that names every wrong rule and field. */
export const readTagFile = (path: string): readonly VirtualTag[] => {
  const { rules, problems } = readTagRules(readDocument(path))
  if (problems.length === 0) return rules as readonly VirtualTag[]
  const head = `${path} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}; nothing was changed:`
  throw new WeirError('bad-input', [head, ...problems.map(problemText)].join('\n'))
}
