/** The system's Chromium, for tests of pages; without one, and outside CI, these tests are skipped. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const executablePath = process.env['WEIR_CHROMIUM'] ?? places.find((path) => existsSync(path))
if (executablePath === undefined && process.env['CI'] !== undefined)
  throw new Error('CI needs Chromium: .ci/run installs it')
if (executablePath === undefined)
  process.stdout.write('skipped: no Chromium is installed (apt-get install chromium, or WEIR_CHROMIUM=PATH)\n')

const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export const hasChromium = executablePath !== undefined

export const startChromium = (): Promise<Browser> => chromium.launch({ executablePath: executablePath as string, args })
