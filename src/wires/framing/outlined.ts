import type { BodyFields, Outline } from '../../core/prompt.ts'
import type { Found } from './finding.ts'

type Rest = Readonly<{ fields: BodyFields; temperature: number | undefined; most_marks: number }>

/** An outline that knows where its blocks lie: the edits of a call look at what was found for it. */
export class Outlined implements Outline {
  readonly blocks: Outline['blocks']
  readonly definitions: Outline['definitions']
  readonly marked: Outline['marked']
  readonly fields: BodyFields
  declare readonly temperature?: number
  readonly most_marks: number
  readonly #found: Found

  constructor(found: Found, { fields, temperature, most_marks }: Rest) {
    this.#found = found
    this.blocks = found.blocks
    this.definitions = found.definitions
    this.marked = found.marked
    this.fields = fields
    this.most_marks = most_marks
    if (temperature !== undefined) this.temperature = temperature
  }

  static foundFor(outline: Outline | undefined): Found | undefined {
    return outline && #found in outline ? outline.#found : undefined
  }
}
