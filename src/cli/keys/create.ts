import { defineCommand } from 'citty'
import { WeirError } from '../../core/errors.ts'
import type { KeyRecord } from '../../core/store.ts'
import { displayPrefix, hashToken, mintToken } from '../../stores/sealing.ts'
import { every, folderArgs, now_us } from '../asking.ts'
import { lookOf } from '../show/look.ts'
import { print, printJson } from '../show/output.ts'
import { parseTime } from '../show/time.ts'
import { renderNewKey } from './list.ts'
import { pepperOf, random, withStore } from './vault.ts'

const list = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')

const tagsOf = (rawArgs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    every(rawArgs, 'tag').map((text) => {
      const at = text.indexOf('=')
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
      throw new WeirError('bad-input', `--tag ${text}: write NAME=VALUE, e.g. --tag cost-centre=4711`)
    }),
  )

const span_ms = { d: 86_400_000, h: 3_600_000, w: 604_800_000 } as const

/** `30d` from now, or a date. */
const expiry_us = (text: string | undefined, now: number): number | undefined => {
  if (text === undefined) return undefined
  const span = /^(\d+)([dhw])$/.exec(text)
  const at = span
    ? now + Number(span[1]) * span_ms[span[2] as keyof typeof span_ms] * 1000
    : parseTime(text, now / 1000, 'UTC', '--expires') * 1000
  if (at > now) return at
  throw new WeirError('bad-input', `--expires ${text} is not in the future`)
}

type Fields = Readonly<
  Partial<
    Record<
      'name' | 'team' | 'feature' | 'customer' | 'environment' | 'models' | 'providers' | 'expires',
      string | undefined
    >
  >
>

const recordOf = (
  fields: Fields,
  rawArgs: readonly string[],
  secret: Readonly<{ token: string; hash: string }>,
): KeyRecord => {
  const now = now_us()
  const { team, feature, customer, environment } = fields
  const expires = expiry_us(fields.expires, now)
  return {
    id: `key_${Buffer.from(random(8)).toString('hex')}`,
    name: fields.name ?? ([team, feature, customer].filter(Boolean).join('-') || 'unnamed'),
    prefix: displayPrefix(secret.token),
    hash: secret.hash,
    ...(team === undefined ? {} : { team }),
    ...(feature === undefined ? {} : { feature }),
    ...(customer === undefined ? {} : { customer }),
    ...(environment === undefined ? {} : { environment }),
    tags: tagsOf(rawArgs),
    models: list(fields.models),
    providers: list(fields.providers),
    created_at_us: now,
    ...(expires === undefined ? {} : { expires_at_us: expires }),
  }
}

export const create = {
  ...defineCommand({
    meta: { name: 'create', description: 'Make a key. It is shown once; what it fixes, a caller cannot change.' },
    args: {
      name: { type: 'string', description: 'A name to know it by' },
      team: { type: 'string', description: 'Charge every call to this team' },
      feature: { type: 'string', description: '… to this feature' },
      customer: { type: 'string', description: '… to this customer' },
      environment: { type: 'string', description: '… to this environment' },
      tag: { type: 'string', valueHint: 'NAME=VALUE', description: 'A further tag, any number of times' },
      models: {
        type: 'string',
        valueHint: 'GLOBS',
        description: 'Models it may ask for, e.g. "gpt-5*,claude-*"; all otherwise',
      },
      providers: { type: 'string', valueHint: 'NAMES', description: 'Providers it may use; all otherwise' },
      expires: {
        type: 'string',
        valueHint: 'TIME',
        description: 'When it ends: 90d, 12h, 2027-01-01; never otherwise',
      },
      ...folderArgs,
    },
    run: ({ args, rawArgs }) =>
      withStore(args, async (store, data) => {
        const token = mintToken(random)
        const record = recordOf(args, rawArgs, { token, hash: hashToken(token, pepperOf(data)) })
        await store.keys.add(record)
        const { hash: _, ...shown } = record
        if (args.json) printJson({ ...shown, token })
        else print(renderNewKey(record, token, lookOf()))
      }),
  }),
  examples: [
    ['weir keys create --name search-api --team search --expires 90d', 'a key for one team, for three months'],
  ],
} as const
