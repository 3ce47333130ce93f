import type { TokenRatio } from '../core/ledger.ts'
import { type Ratios, ratios } from '../playbook/measure/ratios.ts'

/** Counts tokens where no provider did. The tokenizer (70 MB) is loaded when the first estimate is made. */
export type Tokens = {
  /** Tokens of a text in o200k. Loads the tokenizer first. */
  counter(): Promise<(text: string) => number>
  /** How a model's tokenizer compares with o200k. */
  ratios: Ratios
  /** Takes what the ledger has learnt of models. */
  learn(learnt: readonly TokenRatio[]): void
}

export const openTokens = (): Tokens => {
  let loading: Promise<(text: string) => number> | undefined
  const load = async () => {
    const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base')
    // A prompt may hold `<|endoftext|>` as text: it counts as the text that it is.
    const options = { disallowedSpecial: new Set<string>() }
    return (text: string) => countTokens(text, options)
  }
  return {
    counter() {
      loading ??= load()
      return loading
    },
    ratios: ratios(),
    learn(learnt) {
      this.ratios = ratios(learnt)
    },
  }
}
