import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, vi } from 'vitest'
import type { Receipt } from '../../src/core/receipt.ts'
import { ledgerFolder } from '../cli/fixture.ts'
import { weir } from '../cli/run.ts'

/** A ledger at a fixed moment, the command line over it, and a folder for its files; all of it is cleared when the file's tests are over. */
export const openDesk = async (now: string, receipts?: readonly Receipt[], env: Record<string, string> = {}) => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(now) })
  const { data, clear } = await ledgerFolder(receipts)
  const files = mkdtempSync(join(tmpdir(), 'weir-desk-'))
  afterAll(() => {
    vi.useRealTimers()
    clear()
    rmSync(files, { recursive: true })
  })
  const run = (...words: string[]) => weir([...words, '--data', data], { env })
  return {
    data,
    files,
    run,
    /** What a command prints that goes well, and says nothing beside. */
    async ok(...words: string[]): Promise<string> {
      const { out, ...ended } = await run(...words)
      expect(ended).toEqual({ err: '', code: 0 })
      return out
    },
    /** What is said to a command that is refused. */
    async refused(...words: string[]): Promise<string> {
      const { code, err } = await run(...words)
      expect(code).not.toBe(0)
      return err.trim()
    },
    /** Writes a file, and gives its path. */
    file(name: string, text: string | Uint8Array): string {
      writeFileSync(join(files, name), text)
      return join(files, name)
    },
  }
}
