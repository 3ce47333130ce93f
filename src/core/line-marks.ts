/** The marks of a journal line; `journal-line.ts` says what they are for. */

/** What a line begins with: what it is, and the version of the layout. */
export const openMark = 'o2'
export const receiptMark = 'r2'

/** What a line ends with, so that one that was cut is known. */
export const endMark = '.'

/** Between the fields of a pack, and those of a line in `meters`. */
export const fieldMark = '\u001f'

/** Between the lines of a receipt in `meters`; between their amounts it is a semicolon. */
export const lineMark = '\u001e'

/** Between the columns of an open line, where a receipt has tabs. */
export const OPEN_MARK = '\u001d'
