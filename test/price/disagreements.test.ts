import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { rates } from './book-of-weir.ts'

/** The catalogue's names for providers in the table of disagreements. */
const providerOf: Readonly<Record<string, string>> = { aws: 'aws-bedrock', azure: 'azure-openai' }

/**
 * Models of which eight public catalogues say different things, and what we say on 2026-11-23 at noon UTC (for Sonar on
 * its last day): in · out · cache read · cache write · one-hour write. The reasons stand in the price files.
 */
const chosen: Readonly<Record<string, string>> = {
  'anthropic:claude-opus-5-5': '4 20 0.2 5 8',
  'anthropic:claude-opus-5': '5 25 0.5 6.25 10',
  'anthropic:claude-opus-4-8': '5 25 0.5 6.25 10',
  'anthropic:claude-sonnet-5-5': '2 10 0.1 2.5 4',
  'anthropic:claude-sonnet-5': '2 10 0.2 2.5 4',
  'anthropic:claude-sonnet-4-6': '3 15 0.3 3.75 6',
  'anthropic:claude-sonnet-4-5': '3 15 0.3 3.75 6',
  'anthropic:claude-haiku-5-5': '0.1 0.5 0.01 0.125 0.2',
  'anthropic:claude-haiku-4-5': '1 5 0.1 1.25 2',
  'anthropic:claude-fable-5-1': '10 50 0.25 12.5 20',
  'openai:gpt-6-astra': '10 50 1 12.5 –',
  'openai:gpt-6-sol': '2 10 0.2 2.5 –',
  'openai:gpt-6-luna': '0.1 0.5 0.01 0.125 –',
  'openai:gpt-5.6-sol': '4 20 0.4 5 –',
  'openai:gpt-5.6-terra': '2 12 0.2 2.5 –',
  'openai:gpt-5.6-luna': '0.2 1.2 0.02 0.25 –',
  'openai:gpt-5.5': '5 30 0.5 – –',
  'openai:gpt-5.4': '2.5 15 0.25 – –',
  'openai:gpt-5.4-mini': '0.75 4.5 0.075 – –',
  'openai:gpt-5-mini': '0.25 2 0.025 – –',
  'openai:gpt-4.1': '2 8 0.5 – –',
  'openai:gpt-4o': '2.5 10 1.25 – –',
  'openai:gpt-4o-mini': '0.15 0.6 0.075 – –',
  'openai:o3': '2 8 0.5 – –',
  'google:gemini-3.8-flash': '0.75 3.75 0.075 – –',
  'google:gemini-3.6-flash': '0.75 3.75 0.075 – –',
  'google:gemini-3.5-flash': '1.5 9 0.15 – –',
  'google:gemini-3.1-pro-preview': '2 12 0.2 – –',
  'google:gemini-3-flash-preview': '0.5 3 0.05 – –',
  'google:gemini-2.5-pro': '1.25 10 0.125 – –',
  'google:gemini-2.5-flash': '0.3 2.5 0.03 – –',
  'google:gemini-2.5-flash-lite': '0.1 0.4 0.01 – –',
  // Switched off on 2026-07-24: no catalogue's price holds any more.
  'deepseek:deepseek-chat': '– – – – –',
  'deepseek:deepseek-reasoner': '– – – – –',
  'deepseek:deepseek-v4-flash': '0.15 0.6 0.003 – –',
  'deepseek:deepseek-v4-pro': '0.66 1.98 0.022 – –',
  'deepseek:deepseek-flash': '0.15 0.6 0.003 – –',
  'x-ai:grok-4.6': '2 6 0.5 – –',
  'x-ai:grok-4.5': '2 6 0.3 – –',
  'x-ai:grok-4.3': '1.25 2.5 0.2 – –',
  'x-ai:grok-4-fast-reasoning': '0.2 0.5 0.05 – –',
  'x-ai:grok-code-fast-1': '0.2 1.5 0.02 – –',
  'mistral:mistral-large-latest': '0.5 1.5 0.05 – –',
  'mistral:mistral-medium-latest': '1.5 7.5 0.15 – –',
  'mistral:mistral-small-latest': '0.15 0.6 0.015 – –',
  'mistral:codestral-latest': '0.3 0.9 0.03 – –',
  'mistral:magistral-medium-latest': '2 5 0.2 – –',
  'perplexity:sonar': '1 1 – – –',
  'perplexity:sonar-pro': '3 15 – – –',
  'perplexity:sonar-deep-research': '2 8 – – –',
  'perplexity:sonar-reasoning-pro': '2 8 – – –',
  'groq:openai/gpt-oss-120b': '0.15 0.6 0.075 – –',
  'groq:llama-3.3-70b-versatile': '0.59 0.79 – – –',
  'groq:moonshotai/kimi-k2-instruct-0905': '1 3 0.5 – –',
  'cohere:command-a-03-2025': '2.5 10 – – –',
  'cohere:command-r7b-12-2024': '0.0375 0.15 – – –',
  'aws:us.anthropic.claude-sonnet-4-5-20250929-v1:0': '3.3 16.5 0.33 4.125 6.6',
  'aws:global.anthropic.claude-sonnet-4-5-20250929-v1:0': '3 15 0.3 3.75 6',
  'aws:anthropic.claude-sonnet-4-5-20250929-v1:0': '3.3 16.5 0.33 4.125 6.6',
  'aws:amazon.nova-pro-v1:0': '0.8 3.2 0.2 0.8 –',
  'aws:amazon.nova-2-lite-v1:0': '0.33 2.75 0.0825 0.33 –',
  'azure:gpt-5-mini': '0.25 2 0.025 – –',
  'azure:gpt-4o': '2.5 10 1.25 – –',
  'azure:gpt-5.4': '2.5 15 0.25 – –',
  'together:meta-llama/Llama-3.3-70B-Instruct-Turbo': '0.88 0.88 – – –',
  'together:deepseek-ai/DeepSeek-V3': '1.25 1.25 – – –',
  'fireworks:accounts/fireworks/models/deepseek-v3p1': '0.56 1.68 0.28 – –',
}

const split = (key: string) => {
  const [name = ''] = key.split(':')
  return { provider: providerOf[name] ?? name, model: key.slice(name.length + 1) }
}

describe('where public catalogues disagree', () => {
  test.each(Object.entries(chosen))('%s costs %s', (key, expected) => {
    const { provider, model } = split(key)
    const moment = provider === 'perplexity' ? '2026-09-26' : '2026-11-23T12:00Z'
    expect(rates({ provider, model, moment })).toBe(expected)
  })

  const table = '../shared/facts/price-disagreements.tsv'
  test.skipIf(!existsSync(table))(`every model of ${table} is decided (skipped where the folder is absent)`, () => {
    const models = readFileSync(table, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t')[0] ?? '')
    expect(models).toHaveLength(67)
    expect(models.filter((model) => chosen[model] === undefined)).toEqual([])
  })
})
