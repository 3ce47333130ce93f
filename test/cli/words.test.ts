/** Every command line that help, docs and messages show is one that the program takes. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ArgsDef, CommandDef } from 'citty'
import { describe, expect, test } from 'vitest'
import { commands } from '../../src/cli/index.ts'
import type { Exemplified } from '../../src/cli/show/usage.ts'

type Command = CommandDef & Exemplified

const below = ({ subCommands }: Command): Readonly<Record<string, Command>> => (subCommands ?? {}) as never
const argsOf = ({ args }: Command): ArgsDef => (args ?? {}) as ArgsDef

const walk = (name: string, command: Command): readonly (readonly [name: string, command: Command])[] => [
  [name, command],
  ...Object.entries(below(command)).flatMap(([word, inner]) => walk(`${name} ${word}`, inner)),
]
const root = { subCommands: commands } as unknown as Command
const all = walk('weir', root).slice(1)

const everywhere = ['help', 'debug', 'version']

/** What is wrong with a command line; undefined where the program takes it. Words in capitals stand for values. */
const wrongWith = (line: string): string | undefined => {
  const words = line.replace(/^weir\s*/, '').split(/[\s,]+/)
  let command = root
  let name = 'weir'
  while (/^[a-z]/.test(words[0] ?? '')) {
    const word = (words[0] ?? '').replace(/[^a-z-].*$/, '')
    const next = Object.hasOwn(below(command), word) ? below(command)[word] : undefined
    if (next === undefined) {
      if (command.run === undefined && word !== 'help') return `${name} has no ${word}`
      break
    }
    command = next
    name = `${name} ${word}`
    words.shift()
  }
  const flags = words.flatMap((word) => /^\[?--([a-z][a-z-]*)/.exec(word)?.[1] ?? [])
  const odd = flags.find((flag) => !(Object.hasOwn(argsOf(command), flag) || everywhere.includes(flag)))
  return odd === undefined ? undefined : `${name} has no --${odd}`
}

const problems = (lines: readonly string[]): readonly string[] =>
  lines.flatMap((line) => {
    const wrong = wrongWith(line)
    return wrong === undefined ? [] : [`${line}: ${wrong}`]
  })

/** The calls of the program in a line of a shell. */
const calls = (line: string): readonly string[] =>
  line
    .split(/\s[|<>#]|&&|;/)
    .map((part) => part.trim().replace(/^(?:\$ |npx )/, ''))
    .filter((part) => part.startsWith('weir '))

describe('help', () => {
  test.each(all)('of %s says what it does, and what each flag and word means', (_, command) => {
    expect((command.meta as { description?: string }).description).toMatch(/^[A-Z].*\.$/s)
    const unsaid = Object.entries(argsOf(command)).filter(([, { description = '' }]) => description === '')
    expect(unsaid).toEqual([])
  })

  test.each(all)('of %s shows examples that it takes', (name, { examples = [] }) => {
    expect(examples.length).toBeGreaterThan(0)
    const own = examples.filter(([line]) => line.includes(name) || line.startsWith('curl '))
    expect(own.length).toBeGreaterThan(0)
    expect(problems(examples.flatMap(([line]) => calls(line)))).toEqual([])
  })
})

const pages = ['README.md', 'CHANGELOG.md', ...readdirSync('docs').map((name) => join('docs', name))]

test.each(pages.filter((path) => path.endsWith('.md')))('%s names commands and flags that there are', (path) => {
  const text = readFileSync(path, 'utf8')
  const fenced = [...text.matchAll(/^```\w*\n(.*?)^```/gms)].flatMap(([, block = '']) => block.split('\n'))
  const spans = [...text.replaceAll(/^```.*?^```/gms, '').matchAll(/`(weir [^`]+)`/g)].map(([, span = '']) => span)
  expect(problems([...fenced, ...spans].flatMap(calls))).toEqual([])
})

describe('docs/cli.md', () => {
  const text = readFileSync('docs/cli.md', 'utf8')

  test('names every command', () => {
    const missing = Object.keys(commands).filter((name) => !new RegExp(`\\bweir ${name}\\b`).test(text))
    expect(missing).toEqual([])
  })

  test('names in the chapter of a command only flags that it or one below it has', () => {
    const chapters = text.split(/^## /m).filter((chapter) => chapter.startsWith('weir '))
    expect(chapters.length).toBeGreaterThan(5)
    const odd = chapters.flatMap((chapter) => {
      const name = chapter.slice(0, chapter.indexOf('\n'))
      const own = all.filter(([one]) => one === name || one.startsWith(`${name} `))
      const known = new Set([...everywhere, ...own.flatMap(([, command]) => Object.keys(argsOf(command)))])
      return [...chapter.matchAll(/`--([a-z-]+)/g)].flatMap(([, flag = '']) =>
        known.has(flag) ? [] : [`${name} --${flag}`],
      )
    })
    expect(odd).toEqual([])
  })
})

test('messages send people to commands that there are', () => {
  // Where `and` or `or` follows, a layer of prices is meant; an errand is a lock's.
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
  const said = sources.flatMap((path) =>
    [
      ...readFileSync(join('src', path), 'utf8').matchAll(
        /\bweir (?!(?:and|or|errand)\b)[a-z]+(?: (?:[a-z]+|--[a-z-]+|[A-Z]+))*/g,
      ),
    ].map(([line]) => line),
  )
  expect(said.length).toBeGreaterThan(100)
  expect(problems(said)).toEqual([])
})
