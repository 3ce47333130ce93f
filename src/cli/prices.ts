import { defineCommand } from 'citty'
import { check } from './prices/check.ts'
import { diff } from './prices/diff.ts'
import { list } from './prices/list.ts'
import { show } from './prices/show.ts'

export const command = {
  ...defineCommand({
    meta: {
      name: 'prices',
      description: 'Look up and check the price book: every price with its dates and its source.',
    },
    subCommands: { list, show, check, diff },
  }),
  examples: [
    ['weir prices show gpt-6-sol', 'one model with its history'],
    ['weir prices list --provider anthropic', 'all models of a provider'],
    ['weir prices check', 'are the files sound, and what comes'],
    ['weir prices diff weir genai-prices', 'where catalogues disagree'],
  ],
} as const
