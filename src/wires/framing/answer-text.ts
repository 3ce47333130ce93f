import { decode } from './json.ts'

const DATA = /^data: ?(.*)$/gm

/** The JSON of every event of a stream; what is none (`[DONE]`) says nothing. */
const events = (text: string): unknown[] =>
  [...text.matchAll(DATA)].flatMap(([, data = '']) => {
    try {
      return [JSON.parse(data)]
    } catch {
      return []
    }
  })

/** What an answer's bytes say, event by event where they are a stream of events; undefined where they are no JSON. */
export const answerText = (
  body: Uint8Array,
  content_type: string,
  said: (json: unknown) => string,
): string | undefined => {
  const text = decode(body)
  if (content_type.includes('event-stream')) return events(text).map(said).join('')
  try {
    return said(JSON.parse(text))
  } catch {
    return undefined
  }
}
