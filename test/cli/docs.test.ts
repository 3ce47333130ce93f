/** What the docs name is there, and what users meet is in the docs. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ArgsDef } from 'citty'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { commands } from '../../src/cli/index.ts'
import { file } from '../../src/config/schema.ts'
import { loadSettings } from '../../src/config.ts'
import { codes } from '../../src/core/errors.ts'
import { providers } from '../../src/providers/index.ts'

const cwd = mkdtempSync(join(tmpdir(), 'weir-docs-'))
afterAll(() => rmSync(cwd, { recursive: true }))

const under = (folder: string, ending: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((name) =>
    name.endsWith(ending) ? readFileSync(join(folder, name), 'utf8') : [],
  )
const page = (name: string) => readFileSync(join('docs', name), 'utf8')
const docs = [readFileSync('README.md', 'utf8'), ...under('docs', '.md')].join('\n')
const sources = under('src', '.ts').join('\n')

type Command = Readonly<{ args?: ArgsDef; run?: unknown; subCommands?: Readonly<Record<string, Command>> }>
const root: Command = { subCommands: commands as Readonly<Record<string, Command>> }

const descend = (
  command: Command,
  words: readonly string[],
): Readonly<{ command: Command; rest: readonly string[] }> => {
  const below = command.subCommands?.[words[0] ?? '']
  return below === undefined ? { command, rest: words } : descend(below, words.slice(1))
}

/** What stands behind `weir` in a line and is no command or flag of it. */
const wrongIn = (line: string): string[] => {
  const { command, rest } = descend(root, line.split(/[\s`|\]]+/))
  if (command.run === undefined && /^\w/.test(rest[0] ?? '')) return [`weir ${line}`]
  const flags = ['--help', ...Object.keys(command.args ?? {}).map((name) => `--${name}`)]
  const named = rest.flatMap((word) => /^\[?(--[a-z-]+)/.exec(word)?.[1] ?? [])
  return named.filter((flag) => !flags.includes(flag)).map((flag) => `${flag} of weir ${line}`)
}

test('every command and flag that the docs show exists', () => {
  const fenced = [...docs.matchAll(/```\w*\n([\s\S]*?)```/g)].map(([, text = '']) => text.replaceAll('\\\n', ' '))
  const inline = [...docs.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)
  const lines = [...fenced, ...inline].flatMap((text) => [...text.matchAll(/^(?:[^#\n]*[\s=])?weir ([a-z][^#\n]*)/gm)])
  expect(lines.length).toBeGreaterThan(150)
  expect(lines.flatMap(([, line = '']) => wrongIn(line))).toEqual([])
})

test('every snippet of weir.yaml in the docs is taken as it stands', () => {
  const around =
    'providers: { azure-eu: { base_url: "http://127.0.0.1:1/v1" }, vllm: { base_url: "http://127.0.0.1:1/v1" } }'
  const channels =
    'channels: { ops: { type: pagerduty, routing_key: "12345678" }, pager: { type: pagerduty, routing_key: "12345678" } }'
  const needs = { routes: around, alerts: channels }
  const env = new Proxy(
    {},
    { get: (_, name) => (/^WEIR/.test(String(name)) ? undefined : 'https://example.com/secret') },
  )
  const snippets = [...docs.matchAll(/```yaml\n([\s\S]*?)```/g)]
    .map(([, text = '']) => text)
    .filter((text) => Object.keys(parse(text)).every((field) => field in file.shape))
  expect(snippets.length).toBeGreaterThan(15)
  for (const text of snippets) {
    const more = Object.entries(needs).flatMap(([field, lines]) =>
      new RegExp(`^${field}:`, 'm').test(text) ? lines : [],
    )
    writeFileSync(join(cwd, 'weir.yaml'), [...more, text].join('\n'))
    expect(() => loadSettings({ cwd, env, providers })).not.toThrow()
  }
})

test('every metric is in the docs, and every one in the docs is there', () => {
  const named = (text: string) => new Set(text.match(/\bweir_[a-z_]+/g))
  const internal = 'weir_tags'
  expect([...named(page('operating.md'))].sort()).toEqual(
    [...named(sources)].filter((name) => name !== internal).sort(),
  )
})

test('every error code that is thrown is in the docs, those of the gateway with their status', () => {
  const thrown = new Set([...sources.matchAll(/new WeirError\(\s*'([a-z-]+)'/g)].map(([, code = '']) => code))
  const listed = [...page('clients.md').matchAll(/^\| `([a-z-]+)` \| (\d{3}) \|/gm)]
  for (const [, code = '', status] of listed)
    expect([code, String(codes[code as keyof typeof codes])]).toEqual([code, status])
  const elsewhere = page('console.md').match(/(?<=`)[a-z-]+(?=`)/g) ?? []
  const known = new Set([...listed.map(([, code]) => code), ...elsewhere])
  expect([...thrown].filter((code) => !known.has(code))).toEqual([])
})
