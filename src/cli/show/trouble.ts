import { WeirError } from '../../core/errors.ts'

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EISDIR: 'it is a folder, not a file',
  ENOTDIR: 'something on the way to it is no folder',
  EEXIST: 'there is something else of this name',
  EACCES: 'it may not be opened',
  EPERM: 'it may not be changed',
  EROFS: 'the disk cannot be written to',
  ENOSPC: 'the disk is full',
}

/** Trouble with a file that was named, as what it is; every other error stays. It is nobody's fault in Weir. */
export const fileTrouble = (error: unknown): unknown => {
  if (error instanceof WeirError || !(error instanceof Error)) return error
  const { code = '', path, syscall } = error as NodeJS.ErrnoException
  const reason = reasons[code]
  if (reason === undefined || syscall === undefined) return error
  const file = path === undefined ? 'what was named as a file' : path.replace(/\.part$/, '')
  return new WeirError('bad-input', `${file}: ${reason} (${code})`, { cause: error })
}
