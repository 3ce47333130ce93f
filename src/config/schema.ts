import { z } from 'zod'
import type { Meter } from '../core/usage.ts'
import { REGION } from '../providers/shared/base.ts'
import { alerts, channels } from './alert-schema.ts'
import { address, choice, decimal, flag, instant, meters, text, whole } from './fields.ts'

const day_ms = 86_400_000
const names = 'a name of letters, digits, dots, dashes and underscores'

const regions = 'a region of small letters, digits and dashes, e.g. eu-central-1'
const region = z.string(regions).regex(REGION, regions)

const provider = z.strictObject(
  {
    adapter: text('the name of an adapter').optional(),
    base_url: address.optional(),
    region: region.optional(),
    api_key: text('an API key, best from the environment').optional(),
    access_key_id: text('an AWS access key id').optional(),
    secret_access_key: text('an AWS secret access key').optional(),
    session_token: text('an AWS session token').optional(),
    price_as: text('the name of the provider whose prices hold').optional(),
    options: z
      .record(
        z.string(),
        z.preprocess(
          (value) => (typeof value === 'number' || typeof value === 'boolean' ? String(value) : value),
          text('text'),
        ),
        'options by name, e.g. { project: my-project }',
      )
      .optional(),
  },
  'settings of a provider, e.g. { api_key: ... }',
)

const target = z.preprocess(
  (value) => {
    if (typeof value !== 'string') return value
    const slash = value.indexOf('/')
    return slash < 0 ? { provider: value } : { provider: value.slice(0, slash), model: value.slice(slash + 1) }
  },
  z.strictObject(
    { provider: text('the name of a provider'), model: text('the name of a model').optional() },
    'a target: provider/model, or provider alone to keep the model asked',
  ),
)

const glob = text('text, where * stands for anything and ? for one character')

const route = z.strictObject(
  {
    match: z
      .strictObject(
        {
          model: glob.optional(),
          wire: glob.optional(),
          team: glob.optional(),
          feature: glob.optional(),
          environment: glob.optional(),
        },
        'what the calls have in common, e.g. { model: "gpt-*" }',
      )
      .default({}),
    targets: z.array(target, 'a list of targets, the first tried first').min(1, 'one target at least'),
  },
  'a route: { match: ..., targets: [...] }',
)

/** A lever's mode alone, or with settings; which there are, the levers themselves know (`levers.ts`). */
const lever = z.union(
  [z.string(), z.boolean(), z.record(z.string(), z.unknown())],
  'off, observe or on, or settings such as { mode: on, ttl_s: 3600 }',
)
const leversByName = z.record(z.string(), lever, 'levers by name, e.g. { cache/exact: on }')

const policy = z.strictObject(
  {
    match: z
      .strictObject(
        {
          team: glob.optional(),
          feature: glob.optional(),
          customer: glob.optional(),
          key: glob.optional(),
          environment: glob.optional(),
          wire: glob.optional(),
          endpoint: glob.optional(),
          provider: glob.optional(),
          model: glob.optional(),
        },
        'what the calls have in common, e.g. { team: support }',
      )
      .default({}),
    levers: leversByName,
    holdout: z.number('a share from 0 to 1').min(0, 'a share from 0 to 1').max(1, 'a share from 0 to 1').optional(),
    experiment: text('a name for the experiment').optional(),
  },
  'a policy: { match: ..., levers: ... }',
)

const embedder = z.strictObject(
  {
    provider: text('the name of a provider').optional(),
    model: text('the name of an embedding model').optional(),
    local: text('the name of an ONNX model, e.g. Xenova/all-MiniLM-L6-v2').optional(),
    folder: text('a folder of models').optional(),
    deadline_ms: whole(1, 60_000, 'milliseconds').optional(),
  },
  'an embedder: { provider, model } or { local, folder }',
)

const compressor = z.strictObject({ folder: text('the folder of a LLMLingua-2 model') }, 'a compressor: { folder }')

const services = z.strictObject(
  { embedder: embedder.optional(), compressor: compressor.optional() },
  'what levers may use, e.g. { embedder: ... }',
)

const limits = z.strictObject(
  {
    body_bytes: whole(1024, 1024 ** 3, 'bytes').optional(),
    concurrent_calls: whole(1, 1_000_000).optional(),
    connect_ms: whole(1, day_ms, 'milliseconds').optional(),
    head_ms: whole(1, day_ms, 'milliseconds').optional(),
    idle_ms: whole(1, day_ms, 'milliseconds').optional(),
    attempts: whole(1, 20).optional(),
    drain_ms: whole(0, day_ms, 'milliseconds').optional(),
    drain_bytes: whole(0, 1024 ** 3, 'bytes').optional(),
    shutdown_delay_ms: whole(0, day_ms, 'milliseconds').optional(),
    shutdown_ms: whole(0, day_ms, 'milliseconds').optional(),
  },
  'limits by name, e.g. { attempts: 3 }',
)

const rate = decimal('US dollars per million units as a decimal number, e.g. 2.50')

const known = new Set<string>(meters)
const rates = z
  .record(
    z.string().refine((meter): meter is Meter => known.has(meter), 'the name of a meter, e.g. in.text.fresh'),
    rate,
    'rates by meter, e.g. { in.text.fresh: 2.50, out.text.visible: 10 }',
  )
  .refine((given) => Object.keys(given).length > 0, 'one rate at least')

const context = z
  .string('a context band such as "> 200000"')
  .regex(/^(>=|<=|>|<)\s*\d[\d_]*$/, 'a context band such as "> 200000"')
  .transform((given) => {
    const [, operator = '>', count = '0'] = /^(>=|<=|>|<)\s*([\d_]+)$/.exec(given) ?? []
    return { operator: operator as '>' | '>=' | '<' | '<=', tokens: Number(count.replaceAll('_', '')) }
  })

const minutes = whole(0, 1440, 'minutes after midnight')

const window = z.strictObject(
  {
    zone: text('a time zone, e.g. Europe/Berlin'),
    weekdays: z.array(whole(1, 7), 'weekdays from 1 (Monday) to 7').optional(),
    minutes: z
      .array(z.tuple([minutes, minutes], 'a pair [from, to] of minutes'), 'pairs [from, to] of minutes after midnight')
      .min(1, 'one pair at least'),
    except_dates: z.array(instant, 'dates on which the window never holds').optional(),
  },
  'hours of the day: { zone, minutes: [[from, to]] }',
)

const tier = choice(['standard', 'flex', 'priority', 'batch', 'scale', 'provisioned', 'reserved', 'off_peak'])

const price = z.strictObject(
  {
    id: text('a name for the row').optional(),
    provider: text('the name of a provider'),
    models: z.array(text('the exact name of a model'), 'a list of models').min(1, 'one model at least'),
    region: text('a region').optional(),
    geo: text('a geography').optional(),
    tier: tier.optional(),
    speed: choice(['standard', 'fast']).optional(),
    batch: flag.optional(),
    context: context.optional(),
    window: window.optional(),
    attrs: z.record(z.string(), text('text'), 'attributes by name, e.g. { size: 1024x1024 }').optional(),
    effective_from: instant.optional(),
    effective_to: instant.optional(),
    rates,
    free: flag.optional(),
    source: text('where the price comes from, e.g. "contract 2026-118"'),
    checked_at: instant.optional(),
  },
  'a price: { provider, models, rates, source }',
)

const consolePlace = 'off, a port, or { port: 4142 }'

/** `off`, a port, or a group with one. */
const consoleField = z.preprocess(
  (value) => {
    if (value === false || value === 'off') return 'off'
    return typeof value === 'object' && value !== null && 'port' in value ? value.port : value
  },
  z.union([z.literal('off'), whole(0, 65_535)], consolePlace),
)

/** What weir.yaml may hold. Everything can be left out. */
export const file = z.strictObject(
  {
    host: text('a host name or IP address').optional(),
    port: whole(0, 65_535).optional(),
    mode: choice(['pass-through', 'keys']).optional(),
    console: consoleField.optional(),
    organisation: text('the name of the organisation').max(256, 'a name of at most 256 characters').optional(),
    data: text('a folder').optional(),
    threads: whole(1, 64).optional(),
    providers: z.record(z.string().regex(/^[A-Za-z0-9][\w.-]*$/, names), provider, 'providers by name').optional(),
    routes: z.array(route, 'a list of routes').optional(),
    levers: leversByName.optional(),
    policies: z.array(policy, 'a list of policies').optional(),
    services: services.optional(),
    limits: limits.optional(),
    breaker: z
      .strictObject(
        { failures: whole(1, 1_000_000).optional(), open_ms: whole(1, day_ms, 'milliseconds').optional() },
        'a breaker: { failures: 5, open_ms: 15000 }',
      )
      .optional(),
    on_client_gone: choice(['provider', 'cancel', 'drain']).optional(),
    budgets: z.array(z.unknown(), 'a list of budgets').optional(),
    prices: z.array(price, 'a list of prices').optional(),
    unpriced_ceiling: z
      .strictObject({ input: rate.optional(), output: rate.optional() }, 'a ceiling: { input: 150, output: 600 }')
      .optional(),
    reserve_output_tokens: whole(1, 10_000_000, 'tokens').optional(),
    channels: channels.optional(),
    alerts: alerts.optional(),
    log_level: choice(['debug', 'info', 'warn', 'error', 'silent']).optional(),
  },
  'fields such as port: 4141',
)

export type File = z.infer<typeof file>
export type ProviderFields = z.infer<typeof provider>
export type PriceFields = z.infer<typeof price>
