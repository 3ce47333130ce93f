import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openCompressor } from '../../src/gateway/levers/compressor.ts'
import { tinyOnnx } from './tiny-onnx.ts'

/** A folder in which the packages are installed. Weir does not depend on them: with their runtimes they weigh 500 MB. */
const packages = process.env['WEIR_TEST_COMPRESSOR']
const isInstalled = (): boolean => {
  if (packages === undefined) return false
  try {
    createRequire(join(packages, 'x.js')).resolve('@atjsh/llmlingua-2')
    return true
  } catch {
    return false
  }
}
const there = isInstalled()
if (!there) process.stdout.write('skipped: WEIR_TEST_COMPRESSOR names no folder with @atjsh/llmlingua-2 installed\n')

const home = mkdtempSync(join(packages ?? tmpdir(), 'weir-models-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const words = ['the', 'refund', 'is', 'of', 'paid', 'and', 'in', 'fourteen', 'days', 'to', 'a', 'card', '.']
const important = new Set(['refund', 'paid', 'fourteen', 'days', 'card', '.'])

/** A model as small as they come: it knows thirteen words, and which of them matter. */
const tinyModel = (name: string, more: Readonly<Record<string, unknown>> = {}): string => {
  const folder = join(home, name)
  mkdirSync(join(folder, 'onnx'), { recursive: true })
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
  const vocabulary = [...special, ...words]
  const write = (file: string, value: unknown) => writeFileSync(join(folder, file), JSON.stringify(value))
  write('config.json', {
    model_type: 'bert',
    architectures: ['BertForTokenClassification'],
    vocab_size: vocabulary.length,
    ...more,
  })
  write('tokenizer_config.json', {
    tokenizer_class: 'BertTokenizer',
    do_lower_case: true,
    pad_token: '[PAD]',
    unk_token: '[UNK]',
    cls_token: '[CLS]',
    sep_token: '[SEP]',
    mask_token: '[MASK]',
  })
  write('tokenizer.json', {
    version: '1.0',
    added_tokens: special.map((content, id) => ({
      id,
      content,
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '[CLS]', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '[SEP]', type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
        '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
      },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])),
    },
  })
  writeFileSync(
    join(folder, 'onnx', 'model.onnx'),
    tinyOnnx(vocabulary.map((word, id) => [0, (important.has(word) ? 2 : -2) + id / 100])),
  )
  return folder
}

describe('the compressor', () => {
  test('refuses a folder without a model, naming the folder and what is missing, and fetches nothing', async () => {
    const missing = join(home, 'nowhere')
    await expect(openCompressor({ folder: missing })('some text', 0.5)).rejects.toMatchObject({
      code: 'bad-config',
      message: expect.stringMatching(
        /services\.compressor\.folder: there is no config\.json, no tokenizer\.json.*nowhere/,
      ),
    })
    const folder = tinyModel('broken')
    rmSync(join(folder, 'onnx', 'model.onnx'))
    await expect(openCompressor({ folder })('some text', 0.5)).rejects.toThrow(/no onnx\/model\.onnx in/)
  })

  test.skipIf(there)('says which package is missing where a model is there and the package is not', async () => {
    await expect(openCompressor({ folder: tinyModel('alone') })('some text', 0.5)).rejects.toThrow(
      /package @atjsh\/llmlingua-2 cannot be found/,
    )
  })

  test.skipIf(!there)('keeps the words that the model finds important', async () => {
    const compress = openCompressor({ folder: tinyModel('tiny') })
    const text = 'the refund is paid in fourteen days to the card.'
    const made = await compress(text, 0.5)
    expect(made).toBe('paid fourteen days card.')
    expect(await compress(text, 0.5)).toBe(made)
  })

  test.skipIf(!there)('refuses a model of a kind that does not compress', async () => {
    await expect(openCompressor({ folder: tinyModel('other', { model_type: 'gpt2' }) })('a text', 0.5)).rejects.toThrow(
      /type gpt2 cannot compress/,
    )
  })
})
