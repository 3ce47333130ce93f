import { ftruncateSync, writeSync } from 'node:fs'

/** The calls of `node:fs` that fail on a full or broken disk. */
export type Disk = Readonly<{
  write(fd: number, bytes: Uint8Array, length: number, position: number): number
  truncate(fd: number, length: number): void
}>

const nodeDisk: Disk = {
  write: (fd, bytes, length, position) => writeSync(fd, bytes, 0, length, position),
  truncate: ftruncateSync,
}

const PROBE = Buffer.alloc(16_384, ' ')

/** A file of whole lines; `bytes` is the end of the last whole one. */
export type LineFile = { readonly fd: number; bytes: number }

/** Appends lines to files: a line is in the file wholly or not at all, whatever the disk says. */
export type LineWriter = Readonly<{
  /** Throws what the disk throws, after cutting off what it wrote of the line. */
  append(file: LineFile, lines: Uint8Array): void
  /** Cuts what is left of a line that failed. Throws while the disk refuses that. */
  repair(): void
  /** Throws while the disk has no room; leaves no trace. */
  probe(file: LineFile): void
}>

export const openLineWriter = (disk: Disk = nodeDisk): LineWriter => {
  let torn: LineFile | undefined

  const repair = (): void => {
    if (torn) disk.truncate(torn.fd, torn.bytes)
    torn = undefined
  }

  const put = (file: LineFile, bytes: Uint8Array): void => {
    repair()
    torn = file
    const written = disk.write(file.fd, bytes, bytes.length, file.bytes)
    if (written !== bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes fitted`)
    torn = undefined
  }

  const putWhole = (file: LineFile, bytes: Uint8Array): void => {
    try {
      put(file, bytes)
    } catch (error) {
      try {
        repair()
      } catch {
        // The tail stays torn: it is cut before the next line, or at the next start.
      }
      throw error
    }
  }

  return {
    repair,
    append(file, lines) {
      putWhole(file, lines)
      file.bytes += lines.length
    },
    probe(file) {
      putWhole(file, PROBE)
      disk.truncate(file.fd, file.bytes)
    },
  }
}
