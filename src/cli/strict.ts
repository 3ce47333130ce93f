import { type ParseArgsOptionDescriptor, parseArgs } from 'node:util'
import type { ArgsDef } from 'citty'
import { nearest } from '../config/suggest.ts'
import { WeirError } from '../core/errors.ts'

const aliasesOf = (arg: ArgsDef[string]): readonly string[] => ('alias' in arg ? [arg.alias ?? []].flat() : [])

const optionOf = (arg: ArgsDef[string]): ParseArgsOptionDescriptor => {
  const short = aliasesOf(arg).find((alias) => alias.length === 1)
  return { type: arg.type === 'boolean' ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) }
}

/** `PATH (the file to read)`. */
const neededText = (word: string, { description = '' }: ArgsDef[string]): string =>
  `${word.toUpperCase()}${description === '' ? '' : ` (${description.charAt(0).toLowerCase()}${description.slice(1)})`}`

/**
 * Refuses flags that a command does not have, flags without their value, words that are missing or too many: a mistyped filter must not
 * quietly answer another question. Throws WeirError `bad-input` with what was probably meant.
 */
export const checkFlags = (rest: readonly string[], args: ArgsDef, name: string): void => {
  const wrong = (message: string) => new WeirError('bad-input', message)
  const flags = Object.entries(args).filter(([, arg]) => arg.type !== 'positional')
  const options = Object.fromEntries(
    flags.flatMap(([flag, arg]) => {
      const long = aliasesOf(arg).filter((alias) => alias.length > 1)
      return [flag, ...long].map((one) => [one, optionOf(arg)] as const)
    }),
  )
  const { tokens } = parseArgs({ args: [...rest], options, strict: false, allowPositionals: true, tokens: true })
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const option = options[token.name]
    if (option === undefined) {
      const meant = nearest(token.name, Object.keys(options))
      throw wrong(`${name} has no flag ${token.rawName}; ${meant ? `did you mean --${meant}?` : `try: ${name} --help`}`)
    }
    if (option.type === 'string' && !token.value) throw wrong(`${token.rawName} needs a value; try: ${name} --help`)
  }
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []))
  /** `--month 2026-11`: the flag before a word that is too many, where it takes none. */
  const flagBefore = (word: string): string | undefined => {
    const before = tokens[tokens.findIndex((token) => token.kind === 'positional' && token.value === word) - 1]
    return before?.kind === 'option' && options[before.name]?.type === 'boolean' ? before.rawName : undefined
  }
  const positionals = Object.entries(args).filter(([, arg]) => arg.type === 'positional')
  const missing = positionals.slice(words.length).find(([, arg]) => arg.required)
  if (missing) throw wrong(`${name} needs ${neededText(...missing)}; try: ${name} --help`)
  const extra = words[positionals.length]
  if (extra === undefined) return
  const flag = flagBefore(extra)
  const why = flag === undefined ? '' : `, for ${flag} takes no value`
  throw wrong(`${name} does not know what to do with "${extra}"${why}; try: ${name} --help`)
}
