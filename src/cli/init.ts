import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { defineCommand } from 'citty'
import { WeirError } from '../core/errors.ts'
import { template } from './init/template.ts'
import { print, printJson } from './show/output.ts'

const write = (path: string, force: boolean): void => {
  try {
    writeFileSync(path, template, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new WeirError('bad-input', `${path} is there already; weir init --force writes over it`)
    }
    throw new WeirError('bad-input', `cannot write ${path}: ${(error as Error).message}`)
  }
}

export const command = {
  ...defineCommand({
    meta: { name: 'init', description: 'Write a commented weir.yaml to start from. Weir works without one, too.' },
    args: {
      file: { type: 'positional', required: false, default: 'weir.yaml', description: 'Where to write it (weir.yaml)' },
      force: { type: 'boolean', description: 'Write over a file that is there' },
      json: { type: 'boolean', description: 'Print the answer as JSON' },
    },
    run: ({ args }) => {
      const path = resolve(args.file)
      write(path, args.force === true)
      if (args.json) printJson({ path })
      else print(`${path} is written. Change what you like, then: weir serve`)
    },
  }),
  examples: [['weir init', 'write ./weir.yaml']],
} as const
