/** Makes the publishable package: JavaScript in dist/, with the price files beside it where the code looks for them. */
import { execFileSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
cpSync('prices', 'dist/prices', { recursive: true })
cpSync('package.json', 'dist/package.json')
process.stdout.write('built dist/\n')
