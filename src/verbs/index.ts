// Written by `npm run fix`: one line for each file.
import { verb as alertsFeedback } from './alerts-feedback.ts'
import { verb as alertsList } from './alerts-list.ts'
import { verb as alertsRelease } from './alerts-release.ts'
import { verb as alertsShow } from './alerts-show.ts'
import { verb as alertsTest } from './alerts-test.ts'
import { verb as budgetsList } from './budgets-list.ts'
import { verb as budgetsRemove } from './budgets-remove.ts'
import { verb as budgetsSet } from './budgets-set.ts'
import { verb as budgetsShow } from './budgets-show.ts'
import { verb as call } from './call.ts'
import { verb as calls } from './calls.ts'
import { verb as checklist } from './checklist.ts'
import { verb as close } from './close.ts'
import { verb as closesList } from './closes-list.ts'
import { verb as closesVerify } from './closes-verify.ts'
import { verb as extent } from './extent.ts'
import { verb as focusCheck } from './focus-check.ts'
import { verb as focusExport } from './focus-export.ts'
import { verb as keysChange } from './keys-change.ts'
import { verb as keysCreate } from './keys-create.ts'
import { verb as keysList } from './keys-list.ts'
import { verb as keysRevoke } from './keys-revoke.ts'
import { verb as keysRotate } from './keys-rotate.ts'
import { verb as leaks } from './leaks.ts'
import { verb as outcomesAdd } from './outcomes-add.ts'
import { verb as outcomesImport } from './outcomes-import.ts'
import { verb as outcomesKinds } from './outcomes-kinds.ts'
import { verb as outcomesList } from './outcomes-list.ts'
import { verb as outcomesRemove } from './outcomes-remove.ts'
import { verb as owners } from './owners.ts'
import { verb as pricesList } from './prices-list.ts'
import { verb as pricesShow } from './prices-show.ts'
import { verb as reconcile } from './reconcile.ts'
import { verb as spend } from './spend.ts'
import { verb as splitsList } from './splits-list.ts'
import { verb as splitsSet } from './splits-set.ts'
import { verb as statements } from './statements.ts'
import { verb as tagsList } from './tags-list.ts'
import { verb as tagsPreview } from './tags-preview.ts'
import { verb as tagsSet } from './tags-set.ts'
import { verb as tokensCreate } from './tokens-create.ts'
import { verb as tokensList } from './tokens-list.ts'
import { verb as tokensRevoke } from './tokens-revoke.ts'
import { verb as unitCost } from './unit-cost.ts'

export const verbs = {
  'alerts-feedback': alertsFeedback,
  'alerts-list': alertsList,
  'alerts-release': alertsRelease,
  'alerts-show': alertsShow,
  'alerts-test': alertsTest,
  'budgets-list': budgetsList,
  'budgets-remove': budgetsRemove,
  'budgets-set': budgetsSet,
  'budgets-show': budgetsShow,
  call,
  calls,
  checklist,
  close,
  'closes-list': closesList,
  'closes-verify': closesVerify,
  extent,
  'focus-check': focusCheck,
  'focus-export': focusExport,
  'keys-change': keysChange,
  'keys-create': keysCreate,
  'keys-list': keysList,
  'keys-revoke': keysRevoke,
  'keys-rotate': keysRotate,
  leaks,
  'outcomes-add': outcomesAdd,
  'outcomes-import': outcomesImport,
  'outcomes-kinds': outcomesKinds,
  'outcomes-list': outcomesList,
  'outcomes-remove': outcomesRemove,
  owners,
  'prices-list': pricesList,
  'prices-show': pricesShow,
  reconcile,
  spend,
  'splits-list': splitsList,
  'splits-set': splitsSet,
  statements,
  'tags-list': tagsList,
  'tags-preview': tagsPreview,
  'tags-set': tagsSet,
  'tokens-create': tokensCreate,
  'tokens-list': tokensList,
  'tokens-revoke': tokensRevoke,
  'unit-cost': unitCost,
}
