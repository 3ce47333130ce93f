/** How the page of a statement looks in a browser. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { htmlOf } from '../../src/cli/statement/html.ts'
import { heading, paragraph, tableOf, title } from '../../src/cli/statement/page.ts'
import { hasChromium, startChromium } from '../chromium.ts'

const long = 'W'.repeat(200)
const html = htmlOf(
  [
    title(`Statement of ${long}`),
    heading(long),
    paragraph(long),
    tableOf(
      ['team', ' spend', ' change'],
      [
        [long, '$42.27', '▼ -6.8 %'],
        ['search', '$12,345.67', '–'],
      ],
    ),
  ],
  long,
)

describe.skipIf(!hasChromium)('a name that is long', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await startChromium()
  })
  afterAll(() => browser.close())

  test.each([390, 800])('makes the page no wider than a window of %i, and breaks no amount', async (width) => {
    const page = await browser.newPage({ viewport: { width, height: 900 } })
    await page.setContent(html)
    const [wide, lines] = await page.evaluate(() => {
      const amounts = [...document.querySelectorAll('td[style*="text-align:right"]')]
      return [document.documentElement.scrollWidth, amounts.map((one) => one.textContent)] as const
    })
    expect(wide).toBe(width)
    expect(lines).toEqual(['$42.27', '▼ -6.8 %', '$12,345.67', '–'])
    const heights = await page.locator('tr:last-child td').evaluateAll((cells) => cells.map((one) => one.clientHeight))
    expect(Math.max(...heights)).toBeLessThan(40)
    await page.close()
  })
})
