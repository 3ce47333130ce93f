// Written by `npm run fix`: one line for each file.
import { command as advise } from './advise.ts'
import { command as alerts } from './alerts.ts'
import { command as budgets } from './budgets.ts'
import { command as cache } from './cache.ts'
import { command as calls } from './calls.ts'
import { command as checklist } from './checklist.ts'
import { command as close } from './close.ts'
import { command as console } from './console.ts'
import { command as focus } from './focus.ts'
import { command as importEntry } from './import.ts'
import { command as init } from './init.ts'
import { command as keys } from './keys.ts'
import { command as leaks } from './leaks.ts'
import { command as levers } from './levers.ts'
import { command as outcomes } from './outcomes.ts'
import { command as owners } from './owners.ts'
import { command as prices } from './prices.ts'
import { command as reconcile } from './reconcile.ts'
import { command as reload } from './reload.ts'
import { command as report } from './report.ts'
import { command as serve } from './serve.ts'
import { command as simulate } from './simulate.ts'
import { command as splits } from './splits.ts'
import { command as statement } from './statement.ts'
import { command as status } from './status.ts'
import { command as tags } from './tags.ts'
import { command as tokens } from './tokens.ts'

export const commands = {
  advise,
  alerts,
  budgets,
  cache,
  calls,
  checklist,
  close,
  console,
  focus,
  import: importEntry,
  init,
  keys,
  leaks,
  levers,
  outcomes,
  owners,
  prices,
  reconcile,
  reload,
  report,
  serve,
  simulate,
  splits,
  statement,
  status,
  tags,
  tokens,
}
