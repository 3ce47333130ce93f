/**
 * Makes the publishable package in dist/: JavaScript in few files, because loading a thousand small ones takes longer than
 * everything else at start, and the price files where the code looks for them. Native packages, large ones that are seldom
 * needed and data stay packages of their own; the licences of those that are built in lie beside.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { rolldown } from 'rolldown'

const OUTSIDE = [/^node:/, /^@duckdb\//, /^@pydantic\//, /^gpt-tokenizer/, /^nodemailer/]

rmSync('dist', { recursive: true, force: true })

// Each command is a file of its name (src/main.ts), and so is what a worker runs.
const commands = readdirSync('src/cli').filter((name) => name.endsWith('.ts'))
const files = [
  'main.ts',
  ...commands.map((name) => `cli/${name}`),
  'gateway/worker.ts',
  'gateway/counting.ts',
  'cli/advise/worker.ts',
]
const input = Object.fromEntries(files.map((file) => [`src/${file.slice(0, -3)}`, `src/${file}`]))
const bundle = await rolldown({ input, platform: 'node', external: OUTSIDE })
const { output } = await bundle.write({
  dir: 'dist',
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'src/built/[name]-[hash].js',
})
await bundle.close()

/** Folders of the packages that were built in. */
const packages = new Set()
for (const { moduleIds = [] } of output)
  for (const id of moduleIds) {
    const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id) ?? []
    if (folder) packages.add(folder)
  }

const notice = (folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const text = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
  return `${name} ${version} (${license})\n\n${text ? readFileSync(join(folder, text), 'utf8').trim() : ''}\n`
}
writeFileSync(
  'dist/THIRD-PARTY-NOTICES',
  [...packages]
    .sort()
    .map(notice)
    .join(`\n${'-'.repeat(80)}\n\n`),
)

cpSync('prices', 'dist/prices', { recursive: true })
cpSync('package.json', 'dist/package.json')
// Read once, so that the rows of the price files lie ready for the first start.
execFileSync(process.execPath, ['dist/src/main.js', 'prices', 'list', '--json'], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
if (!existsSync('dist/.cache/price-rows.json')) throw new Error('the rows of the price files were not kept')
process.stdout.write(
  `built dist/ with ${packages.size} packages: ${[...packages].map((folder) => basename(folder)).join(', ')}\n`,
)
