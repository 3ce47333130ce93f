/** Chooses the wire of a path as the gateway does: among those that the provider speaks. */
import type { Wire } from '../../src/core/wire.ts'
import { providers } from '../../src/providers/index.ts'
import { wires } from '../../src/wires/index.ts'

/** The first wire that recognises the path; those that the provider names come first, then any other. */
export const wireFor = (method: string, path: string, adapter: string): Wire => {
  const all: Readonly<Record<string, Wire>> = wires
  const spoken = providers[adapter as keyof typeof providers].traits.wires
  const candidates = [...spoken.flatMap((name) => all[name] ?? []), ...Object.values(all)]
  const found = candidates.find((wire) => wire.recognise(method, path, { 'anthropic-version': '2023-06-01' }))
  if (!found) throw new Error(`no wire recognises ${path}`)
  return found
}
