/** Lines on their way to the platter: files are synced behind the writer's back, and closed in order. */
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { LineFile } from './disk.ts'

/** A segment as far as it is written; its `fd` is another one when the file had to be written anew. */
export type SegmentInHand = Omit<LineFile, 'fd'> & { fd: number; readonly name: string }

const openPath = (folder: string, name: string): string => join(folder, `${name}.open`)

/** Makes the file of a segment. Throws what the system throws. */
export const makeSegment = (folder: string, name: string): number => openSync(openPath(folder, name), 'wx+', 0o600)

const COPY_BYTES = 1024 * 1024

const copyLines = ({ fd: from, bytes }: SegmentInHand, to: number): void => {
  const piece = Buffer.alloc(COPY_BYTES)
  for (let at = 0; at < bytes; ) {
    const length = readSync(from, piece, 0, Math.min(COPY_BYTES, bytes - at), at)
    if (writeSync(to, piece, 0, length, at) !== length) throw new Error('the disk is full')
    at += length
  }
  fdatasyncSync(to)
}

/**
 * Sees to it that a segment is where its name says: of one that somebody removed or moved away, with its folder or alone, all
 * lines are written anew, because the open file still has them. Throws what the disk throws.
 */
export const restore = (folder: string, file: SegmentInHand): void => {
  const path = openPath(folder, file.name)
  if (statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(file.fd).ino) return
  mkdirSync(folder, { recursive: true })
  const fd = makeSegment(folder, file.name)
  try {
    copyLines(file, fd)
  } catch (error) {
    closeSync(fd)
    rmSync(path, { force: true })
    throw error
  }
  closeSync(file.fd)
  file.fd = fd
}

const PUBLISH_AGAIN_MS = 1000

/**
 * Closes segments one after the other, behind the writer's back: to the platter, then renamed. The order holds, so the
 * ledger never has a later segment of a run before an earlier one.
 */
export const closer = (folder: string, onSegment: (name: string) => void) => {
  const queue: SegmentInHand[] = []
  let busy = false

  const publish = (file: SegmentInHand): void => {
    restore(folder, file)
    renameSync(openPath(folder, file.name), join(folder, file.name))
    queue.shift()
    closeSync(file.fd)
    onSegment(file.name)
  }
  const next = (): void => {
    const file = queue[0]
    if (busy || !file) return
    busy = true
    fdatasync(file.fd, () => {
      busy = false
      try {
        if (queue[0] === file) publish(file)
        next()
      } catch {
        // It stays first until the disk lets it; a process that ends before leaves it to the next start.
        setTimeout(next, PUBLISH_AGAIN_MS).unref()
      }
    })
  }
  return {
    add(file: SegmentInHand): void {
      queue.push(file)
      next()
    },
    /** Closes all that are due, now; what the disk does not let it close is left to the next start. */
    drain(): void {
      try {
        for (let file = queue[0]; file; file = queue[0]) {
          fdatasyncSync(file.fd)
          publish(file)
        }
      } catch {
        // See above.
      }
    },
  }
}

/** Syncs the current file in groups, behind the writer's back; `failed` stays set until a later sync works. */
export const syncer = () => {
  let busy = false
  let synced: Readonly<{ file: SegmentInHand; bytes: number }> | undefined
  const state = { failed: false }
  const sync = (file: SegmentInHand): void => {
    const clean = synced?.file === file && synced.bytes === file.bytes
    if (busy || (clean && !state.failed)) return
    busy = true
    const bytes = file.bytes
    fdatasync(file.fd, (error) => {
      busy = false
      // Closed meanwhile, which has synced it.
      if (error?.code === 'EBADF') return
      state.failed = error !== null
      if (!error) synced = { file, bytes }
    })
  }
  return { state, sync }
}
