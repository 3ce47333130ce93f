import { asBuffer, decode } from './json.ts'

/** Longest value of a form field that is read; files and longer fields are passed over. */
const LONGEST_FIELD_BYTES = 64 * 1024
const MOST_PARTS = 64

const boundaryOf = (content_type: string | undefined): string | undefined =>
  /^multipart\/form-data\s*;.*\bboundary=(?:"([^"]+)"|([^;\s]+))/i
    .exec(content_type ?? '')
    ?.slice(1)
    .find(Boolean)

const header = /content-disposition\s*:\s*form-data\s*;([^\r\n]*)/i

/** The name of a part that is a plain field; undefined for files. */
const fieldName = (head: string): string | undefined => {
  const disposition = header.exec(head)?.[1] ?? ''
  if (/\bfilename\*?=/i.test(disposition)) return undefined
  return /\bname="([^"]*)"/i.exec(disposition)?.[1] ?? /\bname=([^;\s]+)/i.exec(disposition)?.[1]
}

/**
 * The text fields of a `multipart/form-data` body, read beside its bytes; undefined when it is none. The first of
 * repeated fields counts. Files are never looked into.
 */
export const formFields = (
  body: Uint8Array,
  content_type: string | undefined,
): Readonly<Record<string, string>> | undefined => {
  const boundary = boundaryOf(content_type)
  if (boundary === undefined) return undefined
  const bytes = asBuffer(body)
  const mark = Buffer.from(`--${boundary}`)
  const fields: Record<string, string> = {}
  let from = bytes.indexOf(mark)
  for (let part = 0; from >= 0 && part < MOST_PARTS; part++) {
    const start = from + mark.length
    const next = bytes.indexOf(mark, start)
    const end = next < 0 ? bytes.length : next
    const blank = bytes.subarray(start, end).indexOf('\r\n\r\n')
    if (blank >= 0 && end - start - blank < LONGEST_FIELD_BYTES) {
      const name = fieldName(decode(bytes.subarray(start, start + blank)))
      if (name !== undefined)
        fields[name] ??= decode(bytes.subarray(start + blank + 4, Math.max(start + blank + 4, end - 2)))
    }
    from = next
  }
  return fields
}
