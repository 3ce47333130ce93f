/** House rules that no off-the-shelf linter knows. Each failure says what to do. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { takes } from '../src/config/levers.ts'
import type { Lever } from '../src/core/lever.ts'
import { levers } from '../src/playbook/levers.ts'

const under = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .map((path) => join(folder, path))
        .filter((path) => path.endsWith('.ts'))
    : []
const files = under('src')
const text = (path: string) => readFileSync(path, 'utf8')

test('a file fits in a head: split what is longer than 300 lines', () => {
  const long = [...files, ...under('simulator'), ...under('demo')].filter((path) => text(path).split('\n').length > 301)
  expect(long).toEqual([])
})

test('below main and config nothing reads the environment, the time or chance: take them from the World', () => {
  const doors = /process\.env|Date\.now\(\)|new Date\(\)|Math\.random\(\)/
  const allowed = /^src\/(main|config|cli\/|gateway\/(start|worker|system))/
  const wrong = files.filter((path) => !allowed.test(path) && doors.test(text(path)))
  expect(wrong).toEqual([])
})

test('a name says what a thing is: no util, helper, manager, misc', () => {
  const vague = files.filter((path) => /(^|[/-])(utils?|helpers?|managers?|misc)([./-]|$)/.test(path))
  expect(vague).toEqual([])
})

test('every test file can fail', () => {
  const idle = under('test').filter((path) => path.endsWith('.test.ts') && !/\bexpect\b/.test(text(path)))
  expect(idle).toEqual([])
})

/** The lists of what is plugged in are written by this test (`npm run fix`), so adding one is adding one file. */
describe('catalogues', () => {
  const camel = (name: string) => name.replace(/[-/](\w)/g, (_, letter: string) => letter.toUpperCase())
  const reserved = ['import', 'export', 'default', 'delete', 'new', 'switch', 'with']
  const local = (name: string) => (reserved.includes(name) ? `${name}Entry` : camel(name))
  const entry = (name: string) => {
    const key = camel(name) === name ? name : `'${name}'`
    return local(name) === name ? name : `${key}: ${local(name)}`
  }
  /** A lever is known by its play and its file, e.g. `cache/exact`; everything else by its file. */
  const nameOf = (item: string, path: string) =>
    item === 'lever' ? path.replace(/^\.\/(.*)\.ts$/, '$1') : basename(path, '.ts')
  const catalogue = (list: string, item: string, paths: string[]) => {
    const names = paths.map((path) => nameOf(item, path))
    const lines = paths.map((path) => `import { ${item} as ${local(nameOf(item, path))} } from '${path}'`)
    return `// Written by \`npm run fix\`: one line for each file.\n${lines.join('\n')}\n\nexport const ${list} = {\n${names.map((name) => `  ${entry(name)},\n`).join('')}}\n`
  }
  const parts = (folder: string, item: string) =>
    files
      .filter((path) => path.startsWith(folder) && new RegExp(`export (const|function) ${item}\\b`).test(text(path)))
      .map((path) => `./${path.slice(folder.length)}`)
      .sort()

  test.each([
    ['src/wires/', 'wire', 'wires', 'index.ts'],
    ['src/providers/', 'provider', 'providers', 'index.ts'],
    ['src/catalogs/', 'catalog', 'catalogs', 'index.ts'],
    ['src/ledgers/', 'open', 'ledgers', 'index.ts'],
    ['src/stores/', 'open', 'stores', 'index.ts'],
    ['src/importers/', 'importer', 'importers', 'index.ts'],
    ['src/bills/', 'bill', 'bills', 'index.ts'],
    ['src/verbs/', 'verb', 'verbs', 'index.ts'],
    ['src/exporters/', 'exporter', 'exporters', 'index.ts'],
    ['src/playbook/', 'lever', 'levers', 'levers.ts'],
    ['src/cli/', 'command', 'commands', 'index.ts'],
  ])('%s', async (folder, item, list, file) => {
    await expect(catalogue(list, item, parts(folder, item))).toMatchFileSnapshot(join('..', folder, file))
  })
})

test('the reference of levers is what the levers themselves say (`npm run fix` writes it)', async () => {
  const rows = ({ settings }: Lever) =>
    Object.entries(settings).map(
      ([name, setting]) =>
        `| \`${name}\` | ${setting.about} | ${takes(setting)} | \`${JSON.stringify(setting.default)}\` |\n`,
    )
  const table = (lever: Lever) =>
    rows(lever).length === 0
      ? ''
      : `\n| setting | | takes | default |\n| --- | --- | --- | --- |\n${rows(lever).join('')}`
  const chapter = (lever: Lever) =>
    `## ${lever.name}\n\nIt ${lever.about}. Risk: ${lever.traits.risk}; promise: ${lever.traits.certainty}.\n${table(lever)}`
  const text = `# Reference of levers\n\nWritten by \`npm run fix\` from the levers themselves; [levers.md](levers.md) explains them.\n\n${Object.values<Lever>(levers).map(chapter).join('\n')}`
  await expect(text).toMatchFileSnapshot(join('..', 'docs', 'levers-reference.md'))
})
