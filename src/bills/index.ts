// Written by `npm run fix`: one line for each file.
import { bill as anthropic } from './anthropic.ts'
import { bill as awsCur } from './aws-cur.ts'
import { bill as azureFocus } from './azure-focus.ts'
import { bill as gcpBilling } from './gcp-billing.ts'
import { bill as openai } from './openai.ts'
import { bill as openrouter } from './openrouter.ts'

export const bills = {
  anthropic,
  'aws-cur': awsCur,
  'azure-focus': azureFocus,
  'gcp-billing': gcpBilling,
  openai,
  openrouter,
}
