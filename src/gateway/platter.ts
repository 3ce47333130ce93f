/** Lines on their way to the platter: files are synced behind the writer's back, and closed in order. */
import { closeSync, fdatasync, fdatasyncSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { LineFile } from './disk.ts'

/** A segment as far as it is written. */
export type SegmentInHand = LineFile & { readonly name: string }

/**
 * Closes segments one after the other, behind the writer's back: to the platter, then renamed. The order holds, so the
 * ledger never has a later segment of a run before an earlier one.
 */
export const closer = (folder: string, onSegment: (name: string) => void) => {
  const queue: SegmentInHand[] = []
  let busy = false

  const publish = (file: SegmentInHand): void => {
    queue.shift()
    closeSync(file.fd)
    renameSync(join(folder, `${file.name}.open`), join(folder, file.name))
    onSegment(file.name)
  }
  const next = (): void => {
    const file = queue[0]
    if (busy || !file) return
    busy = true
    fdatasync(file.fd, () => {
      busy = false
      if (queue[0] === file) publish(file)
      next()
    })
  }
  return {
    add(file: SegmentInHand): void {
      queue.push(file)
      next()
    },
    /** Closes all that are due, now. */
    drain(): void {
      for (let file = queue[0]; file; file = queue[0]) {
        fdatasyncSync(file.fd)
        publish(file)
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
