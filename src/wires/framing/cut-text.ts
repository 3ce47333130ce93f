import { decode } from './json.ts'

/** So much of a body that was cut is searched for the text that had come. */
const LARGEST_CUT_BYTES = 512 * 1024

/** Fields in which the APIs' answers hold what a model wrote. */
const written = /"(?:content|text|thinking|refusal|arguments|partial_json)"\s*:\s*"((?:[^"\\]|\\.)*)/g

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '', b: '', f: '' }
const unescaped = (text: string): string =>
  text
    .replace(/\\u([0-9a-fA-F]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter)

/** What a model wrote into a JSON answer that ends in the middle or is broken: enough to estimate its tokens. */
export const cutText = (bytes: Uint8Array): string => {
  const raw = decode(bytes.subarray(0, LARGEST_CUT_BYTES))
  return Array.from(raw.matchAll(written), ([, text = '']) => unescaped(text)).join('')
}
