import { hash } from './random.ts'
import { standIn, tokenize } from './tokens.ts'
import type { Block } from './types.ts'

type BlockMore = Readonly<{ breakpoint?: '5m' | '1h' | undefined; framing?: number }>

/** A block of text; `framing` stands for the tokens that a role or a tool's declaration costs beside its text. */
export const textBlock = (part: Block['part'], role: string, content: string, more: BlockMore = {}): Block => {
  const ids = tokenize(content)
  const framing = more.framing ?? 4
  const framed = new Uint32Array(ids.length + framing)
  framed.fill(hash(role), 0, framing)
  framed.set(ids, framing)
  return { part, ids: framed, modality: 'text', ...(more.breakpoint ? { breakpoint: more.breakpoint } : {}) }
}

/** A block of something else, e.g. an image, that counts `tokens`. */
export const mediaBlock = (
  modality: 'image' | 'audio',
  content: string,
  tokens: number,
  breakpoint?: '5m' | '1h',
): Block => ({ part: 'messages', ids: standIn(content, tokens), modality, ...(breakpoint ? { breakpoint } : {}) })

/** Circumstances that are part of what a cache matches but cost no tokens, e.g. the thinking mode. */
export const markBlock = (part: Block['part'], mark: string): Block => ({
  part,
  ids: new Uint32Array(0),
  modality: 'text',
  mark: hash(mark),
})

/** A hash over token ids so far. `add` continues it; two lanes, so that a collision is out of reach. */
export type Chain = Readonly<{ add(id: number): void; key(): number }>

export const startChain = (): Chain => {
  let a = 0x811c9dc5
  let b = 0x2545f491
  return {
    add: (id) => {
      a = Math.imul(a ^ id, 0x01000193)
      b = Math.imul(b + id + 0x9e37, 0x85ebca6b)
      b ^= b >>> 13
    },
    key: () => (a >>> 0) * 2_097_152 + ((b >>> 0) & 0x1fffff),
  }
}

export const promptHash = (blocks: readonly Block[]): number => {
  const chain = startChain()
  for (const block of blocks) for (const id of block.ids) chain.add(id)
  return chain.key()
}

/** Tokens of a block as the model counts them. */
export const blockTokens = (block: Block, ratio: number): number => Math.round(block.ids.length * ratio)

export const promptTokens = (blocks: readonly Block[], ratio: number, modality?: Block['modality']): number =>
  blocks.reduce((n, block) => n + (modality && block.modality !== modality ? 0 : blockTokens(block, ratio)), 0)
