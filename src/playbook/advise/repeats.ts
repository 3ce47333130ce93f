/** How much of all prompts had come before: what a cache that keeps every prefix for so long could read at most. */
import { openKinds } from '../../core/kinds.ts'
import type { CacheRule, Past } from '../../core/past.ts'
import { lookAt, openShelf, visit } from '../cache/prefix/shelf.ts'

/** Tokens of prompts, and those of them that repeat the beginning of one that came within five or thirty minutes before. */
export type Repeats = Readonly<{ tokens: number; within_5m: number; within_30m: number }>

const rule: CacheRule = {
  style: 'automatic',
  minimum_tokens: 1,
  step_tokens: 1,
  ttls: ['5m', '30m'],
  default_ttl: '5m',
  most_marks: 0,
  lookback_blocks: 0,
  source: 'no provider: a bound that needs no rule',
}

/** Counts what repeats, by account, provider and model, as calls come in order of time. */
export const repeatCounter = () => {
  const shelves = openKinds(
    ({ account, provider, model }) => [account, provider, model],
    () => openShelf(2),
  )
  const counts = { tokens: 0, within_5m: 0, within_30m: 0 }
  return {
    see(past: Past): void {
      const { chain, at_us, answered } = past
      if (answered || chain.hashes.length === 0) return
      const look = lookAt(shelves.of(past), chain, at_us)
      const ready_us = past.first_token_at_us ?? past.ended_at_us
      const common = { plan: 'automatic' as const, rule, ready_us, writes: [] }
      counts.tokens += chain.tokens.at(-1) ?? 0
      counts.within_5m += visit(look, { ...common, way: 0, ttl: '5m' }).read
      counts.within_30m += visit(look, { ...common, way: 1, ttl: '30m' }).read
    },
    result: (): Repeats => counts,
  }
}
