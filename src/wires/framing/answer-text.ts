import { decode, parseJson } from './json.ts'
import { eventData } from './sse.ts'

/** What an answer's bytes say, event by event where they are a stream of events; undefined where they cannot be read. */
export const answerText = (
  body: Uint8Array,
  content_type: string,
  said: (json: unknown) => string,
): string | undefined => {
  if (content_type.includes('event-stream'))
    return eventData(body)
      ?.map((data) => said(parseJson(data)))
      .join('')
  const json = parseJson(decode(body))
  return json === undefined ? undefined : said(json)
}
