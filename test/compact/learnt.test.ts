/** What tools and output have learnt outlives a restart, and is shared by the threads: in the real file of notes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Kit } from '../../src/core/lever.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { lever as output } from '../../src/playbook/compact/output.ts'
import { lever as tools } from '../../src/playbook/compact/tools.ts'
import { type NoteStore, openNotes } from '../../src/stores/notes.ts'
import { callOf, chosen, kitOf, type Message } from './calling.ts'

let folder: string
let opened: NoteStore[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-learnt-'))
  opened = []
})
afterEach(() => {
  for (const store of opened) store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A thread that has just started: nothing in memory, and the notes of the folder. */
const started = (): Kit => {
  const notes = openNotes({ path: join(folder, 'learnt.db'), now_us: () => 0 })
  opened.push(notes)
  const nth = opened.length
  return kitOf({ notes, random: () => nth / 8 })
}

const receipt = { outcome: 'ok', output_tokens: 300 } as Receipt

describe('compact/output', () => {
  const call = callOf({ messages: [{ role: 'user', content: 'What is it?' }] })
  const answers = (kit: Kit, count: number) => {
    for (let seen = 0; seen < count; seen++) output.learn({ call, receipt }, chosen(output), kit)
  }

  test('goes on where it was before a restart, and adds up what two threads see', () => {
    answers(started(), 128)
    const [one, two] = [started(), started()]
    expect(output.pull(call, chosen(output), one)).toEqual({
      do: 'nothing',
      why: '128 of 200 answers of this route seen',
    })
    answers(two, 64)
    answers(one, 63)
    expect(output.pull(call, chosen(output), one), 'of the other thread it has not heard yet').toMatchObject({
      why: '191 of 200 answers of this route seen',
    })
    answers(one, 1)
    expect(output.pull(call, chosen(output), one)).toMatchObject({ do: 'change' })
  })

  test('learns in memory where the file cannot be used', () => {
    writeFileSync(join(folder, 'learnt.db'), 'no database')
    rmSync(folder, { recursive: true })
    writeFileSync(folder, 'a file where the folder should be')
    const kit = started()
    answers(kit, 200)
    expect(output.pull(call, chosen(output), kit)).toMatchObject({ do: 'change' })
  })
})

describe('compact/tools', () => {
  const settings = chosen(tools, { most_missed: 0.05 })
  const defined = ['search', 'book', 'refund'].map((name) => ({ name, description: `To ${name}. `.repeat(200) }))
  const converse = (kit: Kit, id: number, called: string) => {
    const messages: Message[] = [
      { role: 'system', content: 'You help travellers.' },
      { role: 'user', content: `Request number ${id}` },
      { role: 'assistant', tool_calls: [{ id: 'c1', function: { name: called, arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: 'done' },
    ]
    const call = callOf({ messages, tools: defined }, id)
    const pulled = tools.pull(call, settings, kit)
    tools.learn({ call, receipt, pulled }, settings, kit)
    return pulled
  }

  test('goes on where it was before a restart, counts no conversation twice, and knows what was called', () => {
    const before = started()
    for (let id = 0; id < 40; id++) converse(before, id, id === 7 ? 'book' : 'search')
    const after = started()
    for (let id = 30; id < 40; id++) converse(after, id, 'search')
    expect(converse(after, 39, 'search')).toMatchObject({ why: '40 of 59 conversations seen' })
    for (let id = 40; id < 58; id++) converse(after, id, 'search')
    const pulled = converse(after, 58, 'search')
    expect(pulled).toMatchObject({ do: 'change', changes: [{ do: 'remove' }] })
  })
})
