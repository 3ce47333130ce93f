/** Four weeks of an organisation's calls: four teams from invented traffic, or four from real traces laid out over days. */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Chance } from '../../src/core/chance.ts'
import { type Call, DAY_US, DAYS, HOUR_US, START_US } from './calls.ts'
import { chanceOf, normal, pick, poisson } from './chance.ts'

/** Share of a day's traffic by hour (people at work, UTC), and of a week's by day. */
const office = [1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 19, 18, 15, 17, 19, 18, 16, 12, 8, 6, 5, 3, 2, 1]
const consumer = [5, 4, 3, 2, 2, 3, 4, 6, 8, 9, 10, 11, 12, 12, 11, 11, 12, 13, 14, 15, 14, 12, 9, 7]
const nightly = [1, 1, 100, 60, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
const workweek = [1, 1.05, 1.05, 1, 0.9, 0.15, 0.12]
const allweek = [1, 1, 1, 1.02, 1.1, 1.2, 1.1]

type Shape = Readonly<{ hours: readonly number[]; days: readonly number[]; calls_a_day: number; noise: number }>

/** How many calls start in each hour: season × a day's mood × an hour's noise, then chance. */
const volumes = (shape: Shape, chance: Chance): number[] => {
  const total = shape.hours.reduce((sum, value) => sum + value, 0)
  return Array.from({ length: DAYS }, (_, day) => {
    const mood = Math.exp(0.1 * normal(chance))
    return shape.hours.map((share) => {
      const mean = (shape.calls_a_day * (share / total) * (shape.days[day % 7] ?? 1) * mood) as number
      return poisson(chance, mean * Math.exp(shape.noise * normal(chance)))
    })
  }).flat()
}

type Body = Readonly<{ model: string; input: number; cached: number; output: number; feature: string; agent?: string }>
type Team = Readonly<{ name: string; shape: Shape; body: (chance: Chance) => Body; users: number }>

const lognormal = (chance: Chance, middle: number, sigma: number) =>
  Math.max(1, Math.round(middle * Math.exp(sigma * normal(chance))))

const who = (team: string, users: number, chance: Chance) => {
  const user = Math.floor(users * chance() ** 2)
  return {
    team,
    key: `key_${team}_${user % 3}`,
    user: `${team}-user-${user}`,
  }
}

const fingerprint = (chance: Chance) => Math.floor(chance() * 2 ** 52).toString(16)

const chat = (team: Team, chance: Chance): Call[] =>
  volumes(team.shape, chance).flatMap((count, hour) =>
    Array.from(
      { length: count },
      (): Call => ({
        at_us: START_US + hour * HOUR_US + Math.floor(chance() * HOUR_US),
        ...who(team.name, team.users, chance),
        fingerprint: fingerprint(chance),
        ...team.body(chance),
      }),
    ),
  )

const cachedBody =
  (model: string, feature: string, input: number, output: number, share: number) =>
  (chance: Chance): Body => {
    const tokens = lognormal(chance, input, 0.6)
    const hit = chance() < share ? 0.6 + 0.35 * chance() : 0
    return { model, feature, input: tokens, cached: Math.floor(tokens * hit), output: lognormal(chance, output, 0.7) }
  }

/** Sessions whose prompt grows by what was said, read from cache but for the last part. */
const invented = (chance: Chance, team: string, feature: string, calls_a_day: number, model: string): Call[] => {
  const shape = { hours: office, days: workweek, calls_a_day: calls_a_day / 20, noise: 0.25 }
  return volumes(shape, chance).flatMap((count, hour) =>
    Array.from({ length: count }, (_, nth) => {
      const payer = who(team, 12, chance)
      const steps = 1 + Math.floor(Math.min(300, 14 * Math.exp(0.8 * normal(chance))))
      let [at_us, tokens] = [START_US + (hour + chance()) * HOUR_US, lognormal(chance, 9000, 0.4)]
      return Array.from({ length: steps }, (_, step): Call => {
        const grown = lognormal(chance, 900, 0.8)
        const cached = step === 0 ? 0 : tokens
        tokens += grown
        at_us += (5 + 40 * chance()) * 1e6
        const session = `${team}-${hour}-${nth}`
        return {
          at_us: Math.floor(at_us),
          ...payer,
          feature,
          agent: feature,
          model,
          session,
          fingerprint: fingerprint(chance),
          input: tokens,
          cached,
          output: lognormal(chance, 250, 0.8),
        }
      })
    }).flat(),
  )
}

const synthetic = (seed: number): Call[] => {
  const chance = (team: string) => chanceOf(`synthetic ${seed} ${team}`)
  const support: Team = {
    name: 'support',
    users: 40,
    shape: { hours: consumer, days: allweek, calls_a_day: 1500, noise: 0.12 },
    body: cachedBody('large', 'answers', 6000, 400, 0.8),
  }
  const nights: Team = {
    name: 'nights',
    users: 2,
    shape: { hours: nightly, days: allweek, calls_a_day: 900, noise: 0.1 },
    body: cachedBody('large', 'reports', 8000, 900, 0.3),
  }
  const few: Team = {
    name: 'few',
    users: 5,
    shape: { hours: office, days: workweek, calls_a_day: 150, noise: 0.3 },
    body: cachedBody('large', 'research', 9000, 1200, 0.2),
  }
  return [
    ...chat(support, chance('support')),
    ...chat(nights, chance('nights')),
    ...chat(few, chance('few')),
    ...invented(chance('coding'), 'coding', 'coder', 1200, 'large'),
  ]
}

const data = (name: string) => new URL(`../../../shared/data/${name}`, import.meta.url)
const lines = (name: string): string[] =>
  gunzipSync(readFileSync(data(name)))
    .toString()
    .trim()
    .split('\n')

type Traced = Readonly<{ at_s: number; input: number; cached: number; output: number }>

const azure = (name: string): Traced[] =>
  lines(name)
    .slice(1)
    .map((line) => {
      const [time = '', input, output] = line.split(',')
      return {
        at_s: Date.parse(`${time.slice(0, 23).replace(' ', 'T')}Z`) / 1000,
        input: Number(input),
        cached: 0,
        output: Number(output),
      }
    })

/** What a prefix cache without end would have read: the leading blocks that were seen before. */
const mooncake = (): Traced[] => {
  const seen = new Set<number>()
  return lines('mooncake_conversation.jsonl.gz').map((line) => {
    const row = JSON.parse(line) as {
      timestamp: number
      input_length: number
      output_length: number
      hash_ids: number[]
    }
    const fresh = row.hash_ids.findIndex((id) => !seen.has(id))
    for (const id of row.hash_ids) seen.add(id)
    const blocks = fresh < 0 ? row.hash_ids.length : fresh
    return {
      at_s: row.timestamp / 1000,
      input: row.input_length,
      cached: Math.min(row.input_length - 1, blocks * 512),
      output: row.output_length,
    }
  })
}

/** Each hour replays a piece of the trace that begins anywhere, its gaps stretched to fill the hour: real sizes, real clusters. */
const replay = (
  trace: readonly Traced[],
  team: string,
  feature: string,
  model: string,
  shape: Shape,
  chance: Chance,
): Call[] =>
  volumes(shape, chance).flatMap((count, hour) => {
    const from = Math.floor(chance() * Math.max(1, trace.length - count))
    const piece = trace.slice(from, from + count)
    const begun = piece[0]?.at_s ?? 0
    const lasts = Math.max(1, (piece.at(-1)?.at_s ?? 0) - begun)
    return piece.map((row): Call => {
      const at_us = START_US + Math.floor((hour + ((row.at_s - begun) / lasts) * 0.999) * HOUR_US)
      return {
        at_us,
        ...who(team, 30, chance),
        feature,
        model,
        fingerprint: fingerprint(chance),
        input: row.input,
        cached: row.cached,
        output: row.output,
      }
    })
  })

type Request = Readonly<{ t: number; model: string; in: number; out: number; shared: number; agent: string }>
type Recorded = Readonly<{ session: string; requests: readonly Request[] }>

const modelOf = (name: string) => (/haiku/.test(name) ? 'small' : /sonnet/.test(name) ? 'medium' : 'large')

/** Real coding sessions, begun at office hours on any day; long pauses are kept up to six hours. */
const sessions = (recorded: readonly Recorded[], a_day: number, chance: Chance): Call[] =>
  volumes({ hours: office, days: workweek, calls_a_day: a_day, noise: 0.2 }, chance).flatMap((count, hour) =>
    Array.from({ length: count }, (_, nth) => {
      const { requests } = pick(chance, recorded)
      const payer = who('agents', 15, chance)
      let [at_us, before] = [START_US + (hour + chance()) * HOUR_US, 0]
      return requests.map((row): Call => {
        at_us += Math.min(6 * 3600, Math.max(0, row.t - before)) * 1e6
        before = row.t
        const input = Math.max(1, row.in)
        return {
          at_us: Math.floor(at_us),
          ...payer,
          feature: 'coding',
          agent: 'coder',
          model: modelOf(row.model),
          session: `agents-${hour}-${nth}`,
          fingerprint: fingerprint(chance),
          input,
          cached: Math.min(input, row.shared),
          output: row.out,
        }
      })
    }).flat(),
  )

export const hasTraces = (): boolean => existsSync(data('README.md'))

const traces = new Map<string, unknown>()
const once = <T>(name: string, read: () => T): T => {
  if (!traces.has(name)) traces.set(name, read())
  return traces.get(name) as T
}

const real = (seed: number): Call[] => {
  const chance = (team: string) => chanceOf(`real ${seed} ${team}`)
  const conversations = once('conv', () => azure('azure2023_conv.csv.gz'))
  const code = once('code', () => azure('azure2023_code.csv.gz'))
  const chats = once('mooncake', mooncake)
  const recorded = once('sessions', () => lines('agent-sessions.jsonl.gz').map((line) => JSON.parse(line) as Recorded))
  return [
    ...replay(
      conversations,
      'assistant',
      'chat',
      'large',
      { hours: consumer, days: allweek, calls_a_day: 2000, noise: 0.12 },
      chance('assistant'),
    ),
    ...replay(
      code,
      'completion',
      'code',
      'large',
      { hours: office, days: workweek, calls_a_day: 1500, noise: 0.2 },
      chance('completion'),
    ),
    ...replay(
      chats,
      'search',
      'search',
      'medium',
      { hours: consumer, days: allweek, calls_a_day: 1000, noise: 0.15 },
      chance('search'),
    ),
    ...sessions(recorded, 20, chance('agents')),
  ]
}

export type Source = 'synthetic' | 'real'

/** The calls of a seed in order of time, 28 days. */
export const streamOf = (source: Source, seed: number): readonly Call[] =>
  (source === 'real' ? real(seed) : synthetic(seed))
    .filter(({ at_us }) => at_us < START_US + DAYS * DAY_US)
    .sort((a, b) => a.at_us - b.at_us)
