import type { ArgsDef, CommandDef } from 'citty'
import { type Look, type Paint, paint } from './look.ts'
import { pad, widthOf, wrap } from './text.ts'

/** A command line and what it shows. */
export type Example = readonly [line: string, shows: string]

/** A command with examples for its help. */
export type Exemplified = Readonly<{ examples?: readonly Example[] }>

type AnyCommand = CommandDef & Exemplified

/** Pairs beside each other; the second wraps under itself. */
const pairs = (entries: readonly (readonly [string, string])[], look: Look): string[] => {
  const colours = paint(look)
  const left = Math.min(34, Math.max(0, ...entries.map(([name]) => widthOf(name))))
  const room = Math.max(24, Math.min(look.width, 110) - left - 4)
  return entries.flatMap(([name, about]) => {
    const [first = '', ...rest] = wrap(about, room)
    const head = `  ${colours.cyan(pad(name, left))}  ${first}`
    return [head.trimEnd(), ...rest.map((line) => `${' '.repeat(left + 4)}${line}`)]
  })
}

const flagName = (name: string, arg: ArgsDef[string]): string => {
  const short = ('alias' in arg ? [arg.alias ?? []].flat() : []).map((alias) => `-${alias}, `)
  const value =
    arg.type === 'boolean' ? '' : ` ${arg.type === 'enum' ? (arg.options ?? []).join('|') : (arg.valueHint ?? 'TEXT')}`
  return `${short.join('')}--${name}${value}`
}

const flagAbout = (arg: ArgsDef[string]): string => {
  const standard = arg.default === undefined || arg.default === false ? '' : ` (default: ${arg.default})`
  return `${arg.description ?? ''}${standard}`
}

/** What a list of commands has room for: the description up to its first colon or full stop. */
const firstClause = (text: string): string => text.split(/[:.;]( |$)/)[0] ?? text

const examples = (all: readonly Example[], colours: Paint): string[] =>
  all.length === 0
    ? []
    : ['', colours.bold('Examples'), ...all.flatMap(([line, shows]) => [`  ${colours.dim(`# ${shows}`)}`, `  ${line}`])]

/** The help of a command: what it does, how it is called, its arguments, flags, commands and examples. */
export const usage = (command: AnyCommand, name: string, look: Look): string => {
  const colours = paint(look)
  const meta = command.meta as Readonly<{ description?: string }> | undefined
  const args = Object.entries((command.args ?? {}) as ArgsDef)
  const positional = args.filter(([, arg]) => arg.type === 'positional')
  const flags = args.filter(([, arg]) => arg.type !== 'positional')
  const below = Object.entries((command.subCommands ?? {}) as Record<string, AnyCommand>)
  const words = positional.map(([arg, { required }]) =>
    required === false ? `[${arg.toUpperCase()}]` : arg.toUpperCase(),
  )
  const calls = [
    ...(command.run === undefined ? [] : [[name, ...words, ...(flags.length > 0 ? ['[flags]'] : [])]]),
    ...(below.length === 0 ? [] : [[name, 'COMMAND', '[flags]']]),
  ].map((call) => call.join(' '))
  const section = (title: string, entries: readonly (readonly [string, string])[]) =>
    entries.length === 0 ? [] : ['', colours.bold(title), ...pairs(entries, look)]
  return [
    ...wrap(meta?.description ?? '', Math.min(look.width, 110)),
    '',
    `${colours.bold('Usage')}  ${calls.join('\n       ')}`,
    ...section(
      'Arguments',
      positional.map(([arg, { description }]) => [arg.toUpperCase(), description ?? '']),
    ),
    ...section(
      'Commands',
      below.map(([key, { meta: inner }]) => [
        key,
        firstClause((inner as Readonly<{ description?: string }>)?.description ?? ''),
      ]),
    ),
    ...section(
      'Flags',
      flags.map(([flag, arg]) => [flagName(flag, arg), flagAbout(arg)]),
    ),
    ...examples(command.examples ?? [], colours),
  ].join('\n')
}
