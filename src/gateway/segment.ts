/** A segment of the journal: its name says which run of which gateway thread wrote it, and where it comes in that run. */

const SEGMENT = /^(.+)-(\d+)-(\d{8})\.ndjson(\.open)?$/

export type SegmentFile = Readonly<{
  file: string
  /** `<thread>-<start µs>`: segments of one run follow each other. */
  run: string
  sequence: number
  /** It was not closed: somebody writes it, or died writing it. */
  open: boolean
}>

/** Reads a file name; undefined for files that are no segments. */
export const parseSegment = (file: string): SegmentFile | undefined => {
  const [, thread, start, sequence, open] = SEGMENT.exec(file) ?? []
  if (thread === undefined || start === undefined || sequence === undefined) return undefined
  return { file, run: `${thread}-${start}`, sequence: Number(sequence), open: open !== undefined }
}

/** The name of a closed segment; while it is written, `.open` follows. */
export const segmentName = (run: string, sequence: number): string =>
  `${run}-${sequence.toString().padStart(8, '0')}.ndjson`

/** Segments in the order in which they were written, run by run. */
export const bySequence = (a: SegmentFile, b: SegmentFile): number =>
  a.run < b.run ? -1 : a.run > b.run ? 1 : a.sequence - b.sequence
