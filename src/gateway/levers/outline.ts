import type { Block, Change, Outline } from '../../core/prompt.ts'

const changed = (block: Block, change: Exclude<Change, { do: 'set' }>): Block => {
  if (change.do === 'replace') return { ...block, text: change.text }
  if (change.do === 'mark') return { ...block, mark: change.ttl }
  return { ...block, text: '', replaceable: false, removable: false, markable: false, gone: true }
}

/** The prompt as changes leave it. Indices stay: what was taken out is an empty block. */
export const afterChanges = (outline: Outline, changes: readonly Change[]): Outline => {
  if (changes.length === 0) return outline
  const blocks = [...outline.blocks]
  let { fields, marked } = outline
  for (const change of changes) {
    if (change.do === 'set') fields = { ...fields, ...change.fields }
    else {
      const block = blocks[change.block]
      if (!block) continue
      blocks[change.block] = changed(block, change)
      if (change.do === 'mark' && block.mark === undefined) marked = [...marked, change.block].sort((a, b) => a - b)
    }
  }
  return { ...outline, blocks, fields, marked }
}
