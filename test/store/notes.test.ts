/** What levers have learnt, in its file. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openNotes } from '../../src/stores/notes.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-notes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each(['deleted', 'broken'])(
  'notes of a file that was %s and made anew come after all that were read before',
  (how) => {
    let now_us = 1_795_000_000_000_000
    const path = join(folder, how, 'learnt.db')
    const reader = openNotes({ path, now_us: () => now_us })
    for (const note of ['one', 'two', 'three']) reader.add('p', note, 100)
    const { position } = reader.after('p', 0)
    reader.close()
    for (const name of readdirSync(join(folder, how))) rmSync(join(folder, how, name))
    if (how === 'broken') writeFileSync(path, 'no database'.repeat(1000))
    now_us += 60_000_000
    if (how === 'broken') reader.add('p', 'lost with the file', 100)
    expect(reader.add('p', 'four', 100)).toBe(true)
    expect(reader.after('p', position).notes).toEqual(['four'])
    expect(reader.after('p', 0).notes).toEqual(['four'])
    reader.close()
  },
)
