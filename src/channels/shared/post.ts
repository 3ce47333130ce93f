import type { Delivered } from '../../core/channel.ts'

const PATIENCE_MS = 15_000
const ANSWER_BYTES = 2000
/** What a server says of itself, not of the message: another attempt may do better. */
const passing = new Set([408, 425, 429])

type Body = AsyncIterable<Buffer> & Readonly<{ destroy(): unknown }>

/** The beginning of a body as text; the rest is not read. */
const beginning = async (body: Body): Promise<string> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= ANSWER_BYTES) break
  }
  body.destroy()
  return Buffer.concat(chunks).toString('utf8').replace(/\s+/g, ' ').trim()
}

/** Seconds or a date after which the far side wants to be asked again. */
const waitOf = (header: string | string[] | undefined, now_ms: number): number | undefined => {
  const text = String(header ?? '')
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1000
  const at_ms = Date.parse(text)
  return Number.isNaN(at_ms) ? undefined : Math.max(0, at_ms - now_ms)
}

const stateOf = (status: number): Delivered['state'] => {
  if (status >= 200 && status < 300) return 'delivered'
  return status >= 500 || passing.has(status) ? 'again' : 'refused'
}

type Message = Readonly<{ url: string; body: string; headers?: Readonly<Record<string, string>>; at_us: number }>

/** Posts JSON once. Redirects are not followed: where an alert goes is configured, and not the far side's to decide. Throws nothing. */
export const postJson = async ({ url, body, headers = {}, at_us }: Message): Promise<Delivered> => {
  try {
    const { request } = await import('undici') // a gateway that has nothing to tell does without
    const answer = await request(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'weir', ...headers },
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    const { statusCode } = answer
    const text = await beginning(answer.body).catch(() => '')
    const redirected = statusCode >= 300 && statusCode < 400 ? 'redirects are not followed' : text
    const wait_ms = waitOf(answer.headers['retry-after'], at_us / 1000)
    return {
      state: stateOf(statusCode),
      answer: redirected === '' ? String(statusCode) : `${statusCode} ${redirected}`,
      ...(wait_ms === undefined ? {} : { wait_ms }),
    }
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException
    return { state: 'again', answer: name === 'TimeoutError' ? 'no answer in time' : `no answer (${code ?? name})` }
  }
}
