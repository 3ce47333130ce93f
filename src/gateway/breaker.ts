import type { Breaker } from '../core/settings.ts'

export type CircuitState = 'closed' | 'open' | 'half-open'

/** Circuit breakers by target. Bounded by configuration: targets are configured providers and the models routed to. */
export type Breakers = Readonly<{
  /** May a call go to this target now? When its time is up an open circuit lets one call through to try. */
  allows(target: string): boolean
  /** Would `allows` say no? Asks without taking the one try of a circuit whose time is up. */
  blocks(target: string): boolean
  /** Microseconds until the target is tried again; 0 when it is not open. */
  opens_in_us(target: string): number
  succeeded(target: string): void
  failed(target: string): void
  /** The call ended in a way that says nothing of the target's health. */
  abstained(target: string): void
  states(): Iterable<readonly [target: string, state: CircuitState]>
}>

type Circuit = { failures: number; open_until_us: number; trying: boolean }

/** Opens a circuit after `failures` consecutive failures, for `open_ms`. */
export const createBreakers = (settings: Breaker, now_us: () => number): Breakers => {
  const circuits = new Map<string, Circuit>()
  const stateOf = (circuit: Circuit): CircuitState => {
    if (circuit.open_until_us === 0) return 'closed'
    return now_us() < circuit.open_until_us ? 'open' : 'half-open'
  }
  const blocks = (target: string): boolean => {
    const circuit = circuits.get(target)
    return circuit !== undefined && circuit.open_until_us !== 0 && (circuit.trying || now_us() < circuit.open_until_us)
  }
  return {
    blocks,
    allows(target) {
      if (blocks(target)) return false
      const circuit = circuits.get(target)
      if (circuit && circuit.open_until_us !== 0) circuit.trying = true
      return true
    },
    opens_in_us: (target) => Math.max(0, (circuits.get(target)?.open_until_us ?? 0) - now_us()),
    succeeded(target) {
      if (circuits.size > 0) circuits.delete(target)
    },
    failed(target) {
      const circuit = circuits.get(target) ?? { failures: 0, open_until_us: 0, trying: false }
      circuits.set(target, circuit)
      circuit.failures += 1
      circuit.trying = false
      if (circuit.failures >= settings.failures) circuit.open_until_us = now_us() + settings.open_ms * 1000
    },
    abstained(target) {
      const circuit = circuits.get(target)
      if (circuit) circuit.trying = false
    },
    *states() {
      for (const [target, circuit] of circuits) yield [target, stateOf(circuit)]
    },
  }
}
