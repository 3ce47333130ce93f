// Written by `npm run fix`: one line for each file.
import { importer as agentTrace } from './agent-trace.ts'
import { importer as calls } from './calls.ts'
import { importer as claudeCode } from './claude-code.ts'
import { importer as focus } from './focus.ts'
import { importer as mooncake } from './mooncake.ts'

export const importers = {
  'agent-trace': agentTrace,
  calls,
  'claude-code': claudeCode,
  focus,
  mooncake,
}
