/** `weir advise` as a user meets it: whole outputs over a seeded week, and its report in a real browser. */
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { loadSettings } from '../../src/config.ts'
import { type Advice, pays } from '../../src/playbook/advise/advice.ts'
import { providers } from '../../src/providers/index.ts'
import { hasChromium, startChromium } from '../chromium.ts'
import { type Advised, advisedFolder, since, until } from './advised.ts'
import { start, weir } from './run.ts'

let week: Advised
beforeAll(async () => {
  week = await advisedFolder()
})
afterAll(() => week.clear())

const advise = async (...words: string[]) => {
  const asked = ['advise', '--since', since, '--until', until, '--data', week.data, '--config', week.config, ...words]
  const ran = await weir(asked, { env: { COLUMNS: '110', NO_COLOR: '1' } })
  expect(ran.code, ran.err).toBe(0)
  return ran.out
}
const asJson = async (...words: string[]) => JSON.parse(await advise('--json', ...words)) as Advice

describe('weir advise', () => {
  test('says what each lever saves, how sure that is, and how to turn it on', async () => {
    expect(await advise('--by', 'feature')).toMatchInlineSnapshot(`
      "Advice 2026-11-09 – 2026-11-15 UTC · 541 calls in 280 sessions

        All levers together save $17.59 of $26.96 (65 %), between $17.15 – $18.21
        as it was  █▇▂▂▃▂▂▃▃▂▂▂▃▂▃▂▃▃▂▂▃▂▃▂
        with all   ▃▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂

      Pull first
        #  lever             saves  of cost                         between   alone  its part  calls  how       risk
        1  cache/provide…   $12.76     47 %  ████████████   $12.05 – $13.36  $16.11    $14.35    405  measured  none
        2  cache/exact       $4.73     18 %  ████▌            $3.71 – $6.08   $4.73     $3.05    132  measured  none
        3  compact/minify  $0.0979    0.4 %  ▏             $0.0872 – $0.106  $0.281    $0.189    301  measured  none

      1. cache/provider-prefix  marks the prefixes that come again for the provider’s cache, and chooses how long they are kept by what has paid so far
           saves      $12.76, between $12.05 – $13.36 (90 %)
           held       33 % of the cost in the earlier half, 56 % in the later
           alone      $16.11 if it were the only lever; such figures are never added
           its part   $14.35 of what all save together (exact, over every order of the levers)
           why        measured: replayed from the hashes, counts and times of the receipts, with no
                      assumption
           rests on   405 calls
           risk       none
           effort     a switch
           next test  observe it for a day, then turn it on with \`holdout: 0.05\` in its policy, and
                      compare the arms: weir report --by arm
           weir.yaml
             levers:
               cache/provider-prefix: { mode: on }

      2. cache/exact  gives the answer of an identical earlier call again, and sends identical calls in flight once
           saves      $4.73, between $3.71 – $6.08 (90 %)
           held       45 % of the cost in the earlier half, 0 % in the later
           alone      $4.73 if it were the only lever; such figures are never added
           its part   $3.05 of what all save together (exact, over every order of the levers)
           why        measured: replayed from the hashes, counts and times of the receipts, with no
                      assumption
           rests on   132 calls
           risk       none
           effort     a switch
           next test  observe it for a day, then turn it on with \`holdout: 0.05\` in its policy, and
                      compare the arms: weir report --by arm
           weir.yaml
             levers:
               cache/exact: { mode: on }

      3. compact/minify  takes blanks that mean nothing out of JSON and text in tool results and user messages
           saves      $0.0979, between $0.0872 – $0.106 (90 %)
           held       <0.1 % of the cost in the earlier half, 0.5 % in the later
           alone      $0.281 if it were the only lever; such figures are never added
           its part   $0.189 of what all save together (exact, over every order of the levers)
           why        measured: what it would have taken out of the calls that it observed
           rests on   301 calls; it was observed on 301 of 541, and of the others nothing is known
                      (--since or --where leaves them out)
           risk       none
           effort     a switch
           next test  turn it on with \`holdout: 0.05\` in its policy, and compare the arms: weir report
                      --by arm
           weir.yaml
             levers:
               compact/minify: { mode: on }

      All of them in weir.yaml, in force after weir reload
        levers:
          cache/exact: { mode: on }
          cache/provider-prefix: { mode: on }
          compact/minify: { mode: on }

        Save nothing, or next to nothing, that the receipts show: compact/output.

        What these would save depends on what prompts say, which receipts do not hold. Set them to observe
        for a day, and ask again: cache/semantic, compact/compress, compact/examples, compact/history,
        compact/retrieval, compact/tool-results, compact/tools.

      By feature
        feature  calls    cost   saves  of it             pull first
        agent      301  $18.36  $10.35   56 %  █████▋     cache/provider-prefix $10.26
        faq        240   $8.60   $7.23   84 %  ████████▍  cache/exact $4.73

      What is not known, and what does not pay
        ! What comes again: 86.8 % of the tokens of prompts repeat the beginning of one that came within
          five minutes, 86.8 % of one within thirty. A provider’s cache that keeps prefixes for so long
          reads no more than that.
        ! Batch: 240 calls do not stream, as far as their receipts say. If all of them could wait for up
          to a day, batch prices would save at most $4.30 of what they cost today, before any other lever.
          None of them is marked as deferrable, so nothing of it is certain.
      "
    `)
  })

  test('names the model that was probably meant by a mistyped --what-if', async () => {
    const mistyped = advise('--what-if', 'model=claude-hiaku-4-5')
    await expect(mistyped).rejects.toThrow('no provider has a price for it; did you mean claude-haiku-4-5?')
  })

  test('answers --what-if before all levers, with the other model’s tokens and prices', async () => {
    expect(await advise('--by', 'team', '--what-if', 'model=claude-haiku-4-5')).toMatchInlineSnapshot(`
      "Advice 2026-11-09 – 2026-11-15 UTC · 541 calls in 280 sessions

        model=claude-haiku-4-5 and then all levers save $25.08 of $26.96 (93 %), between $22.85 – $26.96
        as it was  █▇▂▂▃▂▂▃▃▂▂▂▃▂▃▂▃▃▂▂▃▂▃▂
        with all   ▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂▂

      Pull first
        #  lever               saves  of cost                        between   alone  its part  calls  risk
        1  what-if/model=cl…  $21.57     80 %  ████████████  $19.41 – $23.72  $21.57    $14.06    541  needs an eval
        2  cache/provider-p…   $2.55    9.5 %  █▍              $2.41 – $2.67  $16.11     $8.84    405  none
        3  cache/exact        $0.945    3.5 %  ▌              $0.742 – $1.22   $4.73     $2.05    132  none

      1. what-if/model=claude-haiku-4-5  Everything asked of anthropic/claude-haiku-4-5 instead, with tokens counted as that model counts.
           saves      $21.57, between $19.41 – $23.72 (90 %)
           held       80 % of the cost in the earlier half, 80 % in the later
           alone      $21.57 if it were the only lever; such figures are never added
           its part   $14.06 of what all save together (exact, over every order of the levers)
           why        estimated: the other model writes answers of other lengths, and tokenizers are
                      compared by learnt ratios
           rests on   541 calls
           risk       needs an eval
           effort     a project
           next test  send 30 to 50 frozen requests of the dearest route to both models and compare the
                      answers

      2. cache/provider-prefix  marks the prefixes that come again for the provider’s cache, and chooses how long they are kept by what has paid so far
           saves      $2.55, between $2.41 – $2.67 (90 %)
           held       6.6 % of the cost in the earlier half, 11 % in the later
           alone      $16.11 if it were the only lever; such figures are never added
           its part   $8.84 of what all save together (exact, over every order of the levers)
           why        measured: replayed from the hashes, counts and times of the receipts, with no
                      assumption
           rests on   405 calls
           risk       none
           effort     a switch
           next test  observe it for a day, then turn it on with \`holdout: 0.05\` in its policy, and
                      compare the arms: weir report --by arm
           weir.yaml
             levers:
               cache/provider-prefix: { mode: on }

      3. cache/exact  gives the answer of an identical earlier call again, and sends identical calls in flight once
           saves      $0.945, between $0.742 – $1.22 (90 %)
           held       9.1 % of the cost in the earlier half, 0 % in the later
           alone      $4.73 if it were the only lever; such figures are never added
           its part   $2.05 of what all save together (exact, over every order of the levers)
           why        measured: replayed from the hashes, counts and times of the receipts, with no
                      assumption
           rests on   132 calls
           risk       none
           effort     a switch
           next test  observe it for a day, then turn it on with \`holdout: 0.05\` in its policy, and
                      compare the arms: weir report --by arm
           weir.yaml
             levers:
               cache/exact: { mode: on }

      All of them in weir.yaml, in force after weir reload
        levers:
          cache/exact: { mode: on }
          cache/provider-prefix: { mode: on }

        Save nothing, or next to nothing, that the receipts show: compact/minify ($0.0196),
        compact/output.

        What these would save depends on what prompts say, which receipts do not hold. Set them to observe
        for a day, and ask again: cache/semantic, compact/compress, compact/examples, compact/history,
        compact/retrieval, compact/tool-results, compact/tools.

      By team
        team     calls    cost   saves  of it              pull first
        search     301  $18.36  $16.76   91 %  █████████▏  what-if/model=claude-haiku-4-5 $14.69
        support    240   $8.60   $8.33   97 %  █████████▋  what-if/model=claude-haiku-4-5 $6.88

      What is not known, and what does not pay
        ! What comes again: 86.8 % of the tokens of prompts repeat the beginning of one that came within
          five minutes, 86.8 % of one within thirty. A provider’s cache that keeps prefixes for so long
          reads no more than that.
        ! Batch: 240 calls do not stream, as far as their receipts say. If all of them could wait for up
          to a day, batch prices would save at most $4.30 of what they cost today, before any other lever.
          None of them is marked as deferrable, so nothing of it is certain.
      "
    `)
  })

  test('tells a script the same, and savings in turn add up to what all save together', async () => {
    const { findings, together, cost_usd, calls, by } = await asJson('--by', 'team')
    const first = findings[0]
    expect({ calls, cost_usd, first, by: by.rows.map(({ name }) => name) }).toMatchInlineSnapshot(`
      {
        "by": [
          "search",
          "support",
        ],
        "calls": 541,
        "cost_usd": "26.9588",
        "first": {
          "about": "marks the prefixes that come again for the provider’s cache, and chooses how long they are kept by what has paid so far",
          "alone_error_usd": "0",
          "alone_usd": "16.11455",
          "calls": 405,
          "certainty": "exact",
          "configuration": "levers:
        cache/provider-prefix: { mode: on }
      ",
          "effort": "switch",
          "failure": null,
          "halves": [
            0.32829896919593443,
            0.564784304127177,
          ],
          "is_unknown": false,
          "lever": "cache/provider-prefix",
          "next_test": "observe it for a day, then turn it on with \`holdout: 0.05\` in its policy, and compare the arms: weir report --by arm",
          "realised": null,
          "risk": "none",
          "saving": {
            "high_usd": "13.355051045372",
            "low_usd": "12.045286676549",
            "mid_usd": "12.763675",
          },
          "seen_calls": null,
          "shapley": {
            "calls": 541,
            "error_usd": "0",
            "exact": true,
            "usd": "14.3475475",
          },
          "share": 0.47345115509592417,
          "why": "measured: replayed from the hashes, counts and times of the receipts, with no assumption",
        },
      }
    `)
    const sum = findings.reduce((all, { saving }) => all + Number(saving.mid_usd), 0)
    expect(sum).toBeCloseTo(Number(together.mid_usd), 9)
    const parts = findings.reduce((all, { shapley }) => all + Number(shapley?.usd ?? 0), 0)
    expect(parts).toBeCloseTo(Number(together.mid_usd), 6)
  })

  test('replays a lever as it is configured for these calls, and prints that configuration', async () => {
    const config = join(week.folder, 'observed.yaml')
    writeFileSync(
      config,
      `${readFileSync(week.config, 'utf8')}
levers: { cache/exact: { mode: observe, ttl_s: 1 } }
policies: [{ match: { team: support }, levers: { cache/exact: { mode: observe, ttl_s: 1800 } } }]
`,
    )
    const exact = async (...words: string[]) =>
      (await asJson(...words)).findings.find(({ lever }) => lever === 'cache/exact')
    const usual = await exact('--where', 'team=support')
    const configured = await exact('--where', 'team=support', '--config', config)
    const everywhere = await exact('--config', config)
    expect(configured?.configuration).toContain('cache/exact: { mode: on, ttl_s: 1800 }')
    expect(configured?.calls).toBeGreaterThan(0)
    expect(configured?.calls).toBeLessThan(usual?.calls ?? 0)
    expect(everywhere?.calls).toBe(0)
  })

  test.each([[], ['--what-if', 'model=claude-haiku-4-5']])(
    'prints one configuration for all levers that pay, which turns exactly these on',
    async (...words) => {
      const asked = ['--where', 'team=search', ...words]
      const { configuration, findings } = await asJson(...asked)
      const paying = findings
        .filter((finding) => pays(finding) && finding.configuration !== '')
        .map(({ lever }) => lever)
      expect(paying.length).toBeGreaterThan(1)
      const cwd = join(week.folder, 'pasted')
      mkdirSync(cwd, { recursive: true })
      writeFileSync(join(cwd, 'weir.yaml'), configuration)
      const { policies } = loadSettings({ cwd, env: {}, providers })
      expect(policies.map(({ match }) => match)).toEqual([{ team: 'search' }])
      const modes = Object.entries(policies[0]?.levers ?? {}).map(([name, { mode }]) => [name, mode])
      expect(modes).toEqual(paying.toSorted().map((name) => [name, 'on']))
      const report = join(week.folder, 'pasted.html')
      const printed = await advise('--html', report, ...asked)
      for (const line of configuration.trimEnd().split('\n')) expect(printed).toContain(`\n  ${line}\n`)
      expect(readFileSync(report, 'utf8')).toContain(`<pre>${configuration.trimEnd()}</pre>`)
    },
  )

  test('shows between which moments the curve of a short window lies', async () => {
    const report = join(week.folder, 'short.html')
    await advise('--html', report, '--since', '2026-11-10T08:00', '--until', '2026-11-10T20:00')
    const ticks = [...readFileSync(report, 'utf8').matchAll(/>(2026-11-[^<]+)<\/text>/g)].map(([, tick]) => tick)
    expect([...new Set(ticks)]).toEqual(['2026-11-10 08:00:00', '2026-11-10 20:00:00'])
  })

  test('says where a report could not be written', async () => {
    const asked = ['advise', '--since', since, '--until', until, '--data', week.data, '--config', week.config]
    const ran = await weir([...asked, '--html', join(week.folder, 'no-such-folder', 'advice.html')])
    expect(ran.code).toBe(2)
    expect(ran.err).toMatch(/--html .*advice\.html: it cannot be written/)
  })

  test('gives the same through the control port of a running gateway as without one', async () => {
    const alone = await advise()
    const words = ['serve', '--port', '0', '--log-level', 'silent', '--data', week.data, '--config', week.config]
    const gateway = start(words)
    try {
      let [out, err] = ['', '']
      gateway.stderr.setEncoding('utf8').on('data', (piece: string) => {
        err += piece
      })
      for await (const piece of gateway.stdout.setEncoding('utf8')) {
        out += piece
        if (out.includes('weir leaks')) break
      }
      // It listens before its ledger is open.
      const control = join(week.data, 'control.json')
      await vi.waitFor(() => expect(existsSync(control), out + err).toBe(true), { timeout: 30_000, interval: 100 })
      expect(await advise()).toBe(alone)
    } finally {
      gateway.kill('SIGTERM')
      await once(gateway, 'exit')
    }
  }, 120_000)
})

describe.skipIf(!hasChromium)('the report of weir advise in Chromium', () => {
  let browser: Browser
  let report: string
  let advice: Advice
  beforeAll(async () => {
    report = join(week.folder, 'advice.html')
    await advise('--html', report)
    advice = await asJson()
    browser = await startChromium()
  }, 120_000)
  afterAll(() => browser?.close())

  const open = async (width: number): Promise<Readonly<{ page: Page; said: string[]; asked: string[] }>> => {
    const page = await browser.newPage({ viewport: { width, height: 900 } })
    const [said, asked]: [string[], string[]] = [[], []]
    page.on('console', (message) => said.push(message.text()))
    page.on('pageerror', (error) => said.push(error.message))
    page.on('request', (request) => asked.push(request.url()))
    await page.goto(pathToFileURL(report).href)
    return { page, said, asked }
  }

  test.each([1280, 390])(
    'draws a mark for each figure, fits %i pixels, and asks the network for nothing',
    async (width) => {
      const { page, said, asked } = await open(width)
      const shown = (selector: string) => page.locator(`${selector}:visible`).count()
      const moved = advice.findings.filter(({ saving }) => Number(saving.mid_usd) !== 0)
      const worth = advice.findings.filter(({ saving }) => Number(saving.mid_usd) > 0)
      const parts = Object.values(advice.spent_usd).filter((amount) => amount > 0)
      expect(worth.length).toBeGreaterThan(2)
      expect(await shown('svg')).toBe(4)
      expect(await shown('rect.cost')).toBe(1)
      expect(await shown('rect.left')).toBe(1)
      // In the waterfall and in the chart of ranges.
      expect(await shown('rect.saved')).toBe(moved.length + worth.length)
      expect(await shown('rect.alone')).toBe(worth.length)
      expect(await shown('circle.part')).toBe(worth.length)
      expect(await shown('rect[class^="part-"]')).toBe(parts.length)
      expect(await shown('path.line')).toBe(2)
      expect(await page.locator('tbody tr').count()).toBe(advice.by.rows.length)
      const [overflow, smallest] = await page.evaluate(() => {
        const heights = [...document.querySelectorAll('svg text')].map((text) => text.getBoundingClientRect().height)
        return [
          document.documentElement.scrollWidth - window.innerWidth,
          Math.min(...heights.filter((height) => height > 0)),
        ] as const
      })
      expect(overflow).toBeLessThanOrEqual(0)
      expect(smallest).toBeGreaterThan(11)
      expect(said).toEqual([])
      expect(asked).toEqual([pathToFileURL(report).href])
      await page.close()
    },
  )

  test('shows on paper what is folded on the screen, and writes every name whole', async () => {
    const { page } = await open(1280)
    const last = page.locator('details pre').last()
    expect(await last.isVisible()).toBe(false)
    await page.emulateMedia({ media: 'print' })
    expect(await last.isVisible()).toBe(true)
    await page.close()
    const asked = join(week.folder, 'what-if.html')
    await advise('--html', asked, '--what-if', 'model=claude-haiku-4-5')
    const other = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    await other.goto(pathToFileURL(asked).href)
    const overhang = await other.evaluate(() =>
      [...document.querySelectorAll('.wide text.label')].map(
        (text) => text.getBoundingClientRect().left - (text.closest('svg')?.getBoundingClientRect().left ?? 0),
      ),
    )
    expect(Math.min(...overhang)).toBeGreaterThanOrEqual(0)
    await other.close()
  })

  test('says the figures of the answer in its text', async () => {
    const { page } = await open(1280)
    const text = await page.locator('main').evaluate((main) => main.textContent ?? '')
    for (const { lever } of advice.findings) expect(text).toContain(lever)
    for (const note of advice.notes) expect(text).toContain(note)
    expect(readFileSync(report, 'utf8')).not.toMatch(/<script|https?:/)
    await page.close()
  })
})
