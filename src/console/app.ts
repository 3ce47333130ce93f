import { type Context as Exchange, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { WeirError } from '../core/errors.ts'
import type { Store } from '../core/store.ts'
import { contextOf, type Surroundings, secretOf } from '../verbs/context.ts'
import { verbs } from '../verbs/index.ts'
import { perform } from '../verbs/perform.ts'
import type { Context, Verb } from '../verbs/verb.ts'
import { type Asker, identify } from './access.ts'
import { documentOf } from './document.ts'
import { refusalOf } from './errors.ts'
import { fileBody, ofSentFile, openFolder, receiveFile } from './files.ts'
import { forms, headers } from './represent.ts'
import { fileHeader, inputOf } from './request.ts'
import type { Lease } from './shared.ts'

export type ConsoleWorld = Surroundings &
  Readonly<{
    version: string
    lease(): Lease
    store(): Promise<Store>
    /** Told of faults of ours; never of a token, a body or a query. */
    fault(error: Error, where: string): void
  }>

/** Largest JSON body, bytes. */
const LARGEST_BODY = 1024 * 1024

type Env = { Variables: { asker: Asker } }

const json = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner))

/** The revision or version of what was answered, for `If-Match`. */
const tagOf = (result: unknown): Readonly<Record<string, string>> => {
  const { revision, version } = (result ?? {}) as Readonly<Record<string, unknown>>
  const tag = revision ?? version
  return typeof tag === 'number' ? { etag: `"${tag}"` } : {}
}

const answerOf = (verb: Verb, result: unknown, format: string): Response => {
  const form = forms[verb.name]?.[format]
  const header = headers[verb.name]
  const beside = header === undefined ? {} : { [header.name]: header.of(result) }
  if (form !== undefined)
    return new Response(form.render(result), { headers: { 'content-type': form.media, ...beside } })
  return new Response(json(result), { headers: { 'content-type': 'application/json', ...tagOf(result), ...beside } })
}

/** The format that is asked for, taken out of what else was said. Throws WeirError `bad-input` with those that there are. */
const takeFormat = (verb: Verb, said: Record<string, unknown>): string => {
  const known = forms[verb.name]
  if (known === undefined) return 'json'
  const { format = 'json' } = said
  delete said['format']
  if (typeof format === 'string' && (format === 'json' || Object.hasOwn(known, format))) return format
  throw new WeirError('bad-input', `format: expected one of json, ${Object.keys(known).join(', ')}`, {
    field: 'format',
  })
}

/** What the verb says of the file, beside it: its rows, their sum, and what it leaves out. */
const aboutFile = (written: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(written as Readonly<Record<string, unknown>>).flatMap(([name, value]) =>
      Array.isArray(value) ? [] : [[fileHeader(name), String(value)]],
    ),
  )

/** Answers with the file that the verb wrote, and removes it when it was sent. */
const download = async (verb: Verb, said: Record<string, unknown>, context: Context): Promise<Response> => {
  const { download: field = '' } = verb.http
  const folder = openFolder(context.data)
  try {
    const { format = 'csv' } = said
    const path = `${folder.path}/weir.${String(format).replace(/[^a-z.]/g, '')}`
    const written = await perform(verb, { ...said, [field]: path }, context)
    const about = {
      ...aboutFile(written),
      'content-type': path.endsWith('.csv') ? 'text/csv; charset=utf-8' : 'application/octet-stream',
      'content-disposition': `attachment; filename="${path.slice(folder.path.length + 1)}"`,
    }
    return new Response(fileBody(path, folder.remove), { headers: about })
  } catch (error) {
    folder.remove()
    throw error
  }
}

const upload = async (exchange: Exchange, verb: Verb, said: Record<string, unknown>, context: Context) => {
  const { upload: field = '' } = verb.http
  const folder = openFolder(context.data)
  try {
    const path = await receiveFile(exchange.req.raw.body, folder.path)
    if (path === undefined) return await perform(verb, said, context)
    return await perform(verb, { ...said, [field]: path }, context).catch((error: unknown) => {
      throw ofSentFile(error, path, field)
    })
  } finally {
    folder.remove()
  }
}

const route =
  (verb: Verb, world: ConsoleWorld) =>
  async (exchange: Exchange<Env>): Promise<Response> => {
    const lease = world.lease()
    const doors = { ledger: lease.ledger, store: world.store }
    const context: Context = { ...contextOf(world, doors), ...exchange.get('asker') }
    try {
      const said = await inputOf(exchange, verb)
      if (verb.http.download !== undefined) return await download(verb, said, context)
      const format = takeFormat(verb, said)
      const result =
        verb.http.upload === undefined
          ? await perform(verb, said, context)
          : await upload(exchange, verb, said, context)
      return answerOf(verb, result, format)
    } finally {
      lease.release()
    }
  }

/** Is it that who asked has gone before the body was here? That is no fault of ours. */
const hasGone = ({ req }: Exchange, error: Error): boolean =>
  req.raw.signal.aborted && (error as NodeJS.ErrnoException).code === 'ECONNRESET'

/**
 * The console: a route a verb, and the document that says so. Nothing but `/health` answers without a token. There is no
 * CORS: pages of other sites cannot read it.
 */
export const consoleApp = (world: ConsoleWorld): Hono<Env> => {
  const all: readonly Verb[] = Object.values(verbs) as unknown as readonly Verb[]
  const app = new Hono<Env>()
  const strict = ["'none'"]
  const contentSecurityPolicy = {
    defaultSrc: strict,
    styleSrc: ["'unsafe-inline'"],
    frameAncestors: strict,
    baseUri: strict,
  }
  app.use(secureHeaders({ contentSecurityPolicy, xFrameOptions: 'DENY', referrerPolicy: 'no-referrer' }))
  app.use(async (exchange, next) => {
    await next()
    exchange.header('cache-control', 'no-store')
    // The head of a file goes out without it: nobody reads it to its end.
    if (exchange.req.method === 'HEAD') await exchange.res.body?.cancel()
  })
  app.onError((error, exchange) => {
    if (!(error instanceof WeirError) && !hasGone(exchange, error))
      world.fault(error, `${exchange.req.method} ${exchange.req.routePath}`)
    const refusal = refusalOf(error)
    return exchange.json(refusal.body, refusal.status as ContentfulStatusCode, refusal.headers)
  })
  const pepper = secretOf(world)('console-tokens')
  app.get('/health', (exchange) => exchange.json({ status: 'ok' }))
  app.use(async (exchange, next) => {
    const store = await world.store()
    exchange.set(
      'asker',
      await identify(exchange.req.header('authorization'), { store, pepper, now_us: world.now_us() }),
    )
    await next()
  })
  app.get('/openapi.json', (exchange) => exchange.json(documentOf(all, world.version)))
  const limited = bodyLimit({
    maxSize: LARGEST_BODY,
    onError: () => {
      throw new WeirError('body-too-large', `a body has at most ${LARGEST_BODY} bytes`)
    },
  })
  const open = async (_: unknown, next: () => Promise<void>) => next()
  for (const verb of all) {
    const { method, path, upload: file } = verb.http
    app.on(method, path.replaceAll(/\{(\w+)\}/g, ':$1'), file === undefined ? limited : open, route(verb, world))
  }
  app.notFound(() => {
    throw new WeirError('unknown-path', 'there is no such path here; GET /openapi.json says which there are')
  })
  return app
}
