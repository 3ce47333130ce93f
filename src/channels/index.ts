// Written by `npm run fix`: one line for each file.
import { channel as email } from './email.ts'
import { channel as pagerduty } from './pagerduty.ts'
import { channel as slack } from './slack.ts'
import { channel as webhook } from './webhook.ts'

export const channels = {
  email,
  pagerduty,
  slack,
  webhook,
}
