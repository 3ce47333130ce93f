import { type ArgsDef, type CommandDef, runCommand } from 'citty'
import { nearest } from '../config/suggest.ts'
import { WeirError } from '../core/errors.ts'
import { lookOf, paint } from './show/look.ts'
import { note, print } from './show/output.ts'
import { fileTrouble } from './show/trouble.ts'
import { type Exemplified, usage } from './show/usage.ts'
import { checkFlags } from './strict.ts'

type AnyCommand = CommandDef & Exemplified

export type Program = Exemplified &
  Readonly<{
    name: string
    version: string
    about: string
    /** The commands by name; asked for only when one is needed. */
    commands(): Promise<Readonly<Record<string, unknown>>>
  }>

/** Wrong use ends with 2, whatever fails otherwise with 1. */
const exitCodes = { usage: 2, failure: 1 } as const

const wrongUse = (message: string) => new WeirError('bad-input', message)

/** A command name that is not there, with what was probably meant. */
const noCommand = (name: string, known: readonly string[], above: string): WeirError => {
  const meant = nearest(name, known)
  return wrongUse(
    `there is no command ${above} ${name}; ${meant === undefined ? `try: ${above} --help` : `did you mean ${above} ${meant}?`}`,
  )
}

/** A flag that a command without work of its own does not have. */
const noFlag = (flag: string, known: readonly string[], name: string): WeirError => {
  const meant = nearest(flag, known)
  return wrongUse(
    `${name} has no flag ${flag}; ${meant === undefined ? `try: ${name} --help` : `did you mean ${meant}?`}`,
  )
}

type Found = Readonly<{ command: AnyCommand; name: string; rest: readonly string[] }>

/** Walks down the words of the command line to the command that is meant. */
const descend = (command: AnyCommand, name: string, rest: readonly string[]): Found => {
  const below = (command.subCommands ?? {}) as Readonly<Record<string, AnyCommand>>
  const [word, ...further] = rest
  if (Object.keys(below).length === 0 || word === undefined || word.startsWith('-')) return { command, name, rest }
  const next = Object.hasOwn(below, word) ? below[word] : undefined
  if (next !== undefined) return descend(next, `${name} ${word}`, further)
  if (command.run !== undefined) return { command, name, rest }
  throw noCommand(word, Object.keys(below), name)
}

const isHelp = (word: string) => word === '--help' || word === '-h'

const dispatch = async (program: Program, argv: readonly string[]): Promise<number> => {
  if (argv[0] === '--version' || argv[0] === '-v') {
    print(program.version)
    return 0
  }
  const root = {
    meta: { name: program.name, description: program.about },
    examples: program.examples ?? [],
    subCommands: await program.commands(),
  } as AnyCommand
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv
  const { command, name, rest } = descend(root, program.name, words)
  if (rest.some(isHelp) || command.run === undefined) {
    const unknown = rest.find((word) => !isHelp(word))
    if (command.run === undefined && unknown !== undefined)
      throw noFlag(unknown, command === root ? ['--help', '--version'] : ['--help'], name)
    print(usage(command, name, lookOf()))
    return 0
  }
  checkFlags(rest, (command.args ?? {}) as ArgsDef, name)
  // The words were followed down here already; a word that is left is an argument, not a further command.
  const { subCommands: _, ...leaf } = command
  await runCommand(leaf, { rawArgs: [...rest] })
  return typeof process.exitCode === 'number' ? process.exitCode : 0
}

/** Says what went wrong, without a stack unless it was asked for, and gives the exit code. */
const fail = (thrown: unknown, debug: boolean): number => {
  const error = fileTrouble(thrown)
  const colours = paint(lookOf(process.stderr))
  const known = error instanceof WeirError
  const usageError = error instanceof Error && error.name === 'CLIError'
  const message = error instanceof Error ? error.message : String(error)
  note(`${colours.red('weir:')} ${message}`)
  if (debug) note(thrown instanceof Error ? (thrown.stack ?? '') : '')
  else if (!known && !usageError)
    note('This is a fault in Weir. Run it again with --debug to see where, and please report it.')
  const wrong = usageError || (known && (error.code === 'bad-input' || error.code === 'bad-config'))
  return wrong ? exitCodes.usage : exitCodes.failure
}

/** Runs the command that the words name and gives the exit code: 0, 1 for a failure, 2 for wrong use. Throws nothing. */
export const runProgram = async (program: Program, argv: readonly string[]): Promise<number> => {
  const debug = argv.includes('--debug')
  try {
    return await dispatch(
      program,
      argv.filter((word) => word !== '--debug'),
    )
  } catch (error) {
    return fail(error, debug)
  }
}
