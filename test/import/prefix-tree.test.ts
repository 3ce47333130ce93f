import fc from 'fast-check'
import { expect, test } from 'vitest'
import { prefixPoints, type TreeRequest } from '../../src/importers/agent-trace/prefix-tree.ts'

/** A random session as real token sequences, and the tree that describes it: the truth to compare the points with. */
const sessions = fc
  .array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 0, max: 12 })), { minLength: 1, maxLength: 14 })
  .map((steps) => {
    const prompts: number[][] = []
    let next = 0
    for (const [pick, cut, grow] of steps) {
      const base = prompts.length === 0 ? [] : (prompts[pick % prompts.length] ?? [])
      const kept = base.slice(0, cut % (base.length + 1))
      const grown = [...kept, ...Array.from({ length: grow }, () => next++)]
      prompts.push(grown.length === 0 ? [next++] : grown)
    }
    return prompts
  })

const sharedPrefix = (a: readonly number[], b: readonly number[]): number => {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1
  return length
}

const treeOf = (prompts: readonly (readonly number[])[]): TreeRequest[] =>
  prompts.map((prompt, index) => {
    let best: TreeRequest = { in: prompt.length, parent: null, shared: 0 }
    for (let earlier = 0; earlier < index; earlier += 1) {
      const shared = sharedPrefix(prompt, prompts[earlier] ?? [])
      if (shared > 0 && shared >= best.shared) best = { in: prompt.length, parent: earlier, shared }
    }
    return best
  })

test('the longest point that two requests have in common is the longest prefix that they really share', () => {
  fc.assert(
    fc.property(sessions, (prompts) => {
      const points = prefixPoints(treeOf(prompts))
      for (const [index, prompt] of prompts.entries()) {
        const earlier = new Set(points.slice(0, index).flatMap((chain) => chain.map(({ id }) => id)))
        const found = Math.max(0, ...(points[index] ?? []).filter(({ id }) => earlier.has(id)).map((p) => p.tokens))
        const real = Math.max(0, ...prompts.slice(0, index).map((other) => sharedPrefix(prompt, other)))
        expect(found).toBe(real)
      }
    }),
    { seed: 1, numRuns: 400 },
  )
})

test('the points of a request ascend and end with its whole prompt', () => {
  fc.assert(
    fc.property(sessions, (prompts) => {
      for (const [index, chain] of prefixPoints(treeOf(prompts)).entries()) {
        const tokens = chain.map((point) => point.tokens)
        expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b))
        expect(tokens.at(-1)).toBe(prompts[index]?.length)
      }
    }),
    { seed: 2, numRuns: 200 },
  )
})
