import { nearest } from '../../config/suggest.ts'
import { WeirError } from '../../core/errors.ts'
import { globMatches } from '../../playbook/allocate/budget/glob.ts'
import type { Context } from '../verb.ts'

/** Operations as the wires name them. */
const NAMES = [
  ...['chat', 'completions', 'responses', 'messages', 'generate', 'converse', 'invoke', 'interactions', 'embeddings'],
  ...['rerank', 'ocr', 'images.generations', 'images.edits', 'images.variations', 'models', 'count_tokens'],
  ...[
    'audio.speech',
    'audio.transcriptions',
    'audio.translations',
    'chat.stored',
    'responses.poll',
    'interactions.poll',
  ],
  ...['responses.compact', 'responses.input_tokens', 'responses.other', 'files.content', 'batch_results'],
]

/** A mistyped endpoint would lock its key out. Throws WeirError `bad-input` with what was probably meant; what is like nothing known stays. */
export const checkEndpoints = (globs: readonly string[], { field }: Pick<Context, 'field'>): void => {
  for (const glob of globs) {
    if (NAMES.some((name) => globMatches(glob, name))) continue
    const meant = nearest(glob, NAMES, 2)
    if (meant === undefined) continue
    throw new WeirError('bad-input', `${field('endpoints')} ${glob}: there is no such endpoint; did you mean ${meant}?`)
  }
}
