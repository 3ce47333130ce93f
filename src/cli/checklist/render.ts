import type { Checklist, Step } from '../../playbook/advise/checklist.ts'
import { type NamedWindow, windowTitle } from '../asking.ts'
import { type Look, paint, type Style } from '../show/look.ts'
import { pad, wrap } from '../show/text.ts'

const marks: Readonly<Record<Step['state'], Readonly<{ mark: string; style: Style }>>> = {
  done: { mark: '✓', style: 'green' },
  partly: { mark: '◐', style: 'yellow' },
  next: { mark: '○', style: 'dim' },
}

const INDENT = 20

/** Each step with its evidence below it, and its command; the one to work on is marked. */
export const renderChecklist = (
  { window, steps, done, current }: Checklist & Readonly<{ window: NamedWindow }>,
  look: Look,
): string => {
  const colours = paint(look)
  const width = Math.min(Number.isFinite(look.width) ? look.width : 100, 100)
  const blocks = steps.map(({ step, question, state, evidence, command }) => {
    const { mark, style } = marks[state]
    const head = `  ${colours[style](mark)} ${colours.bold(pad(step, 9))} ${colours[style](pad(state, 6))} ${question}`
    const lines = wrap(evidence.join(' · '), Math.max(30, width - INDENT)).map((line) => colours.dim(line))
    const hint = state === 'done' ? [] : [`${step === current ? '→ ' : ''}${colours.cyan(command)}`]
    return [head, ...[...lines, ...hint].map((line) => `${' '.repeat(INDENT)}${line}`)].join('\n')
  })
  const title = `${colours.title('Checklist')} ${colours.dim(windowTitle(window))}`
  const verdict = current === null ? 'Every step is done.' : `${done} of ${steps.length} done; work on: ${current}.`
  return [title, ...blocks, verdict].join('\n\n')
}
