import { asRecord } from './json.ts'

/** A count from 1 on, as a number or, as lenient servers take it, in a text; 1 for anything else. */
const countedFrom1 = (value: unknown): number => {
  const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 1 ? count : 1
}

/** Prompts of a legacy completion, of which each is answered. A list of numbers is one, in tokens. */
const promptsIn = (prompt: unknown): number =>
  Array.isArray(prompt) && typeof prompt[0] !== 'number' ? Math.max(1, prompt.length) : 1

/**
 * How many answers a body asks for at once, each as long as its maximum of output. Gemini takes its fields in either spelling; where a
 * body has several, the largest counts.
 */
export const answersAsked = (json: unknown): number => {
  const body = asRecord(json)
  if (!body) return 1
  const configs = [asRecord(body['generationConfig']), asRecord(body['generation_config'])]
  const candidates = configs.flatMap((config) => [config?.['candidateCount'], config?.['candidate_count']])
  const choices = [body['n'], body['best_of'], body['num_generations'], ...candidates]
  return Math.max(...choices.map(countedFrom1)) * promptsIn(body['prompt'])
}
