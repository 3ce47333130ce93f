import type { Credentials } from '../core/provider.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The environment variables in which a provider's own tools look for its key; the first that is set counts. */
const keyVariables: Readonly<Record<string, readonly string[]>> = {
  anthropic: ['ANTHROPIC_API_KEY'],
  'aws-bedrock': ['AWS_BEARER_TOKEN_BEDROCK'],
  'azure-openai': ['AZURE_OPENAI_API_KEY'],
  cohere: ['COHERE_API_KEY', 'CO_API_KEY'],
  databricks: ['DATABRICKS_TOKEN'],
  deepseek: ['DEEPSEEK_API_KEY'],
  fireworks: ['FIREWORKS_API_KEY'],
  google: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  groq: ['GROQ_API_KEY'],
  mistral: ['MISTRAL_API_KEY'],
  openai: ['OPENAI_API_KEY'],
  openrouter: ['OPENROUTER_API_KEY'],
  perplexity: ['PERPLEXITY_API_KEY', 'PPLX_API_KEY'],
  snowflake: ['SNOWFLAKE_TOKEN', 'SNOWFLAKE_PAT'],
  together: ['TOGETHER_API_KEY'],
  'vertex-ai': ['VERTEX_AI_ACCESS_TOKEN'],
  voyage: ['VOYAGE_API_KEY'],
  'x-ai': ['XAI_API_KEY'],
}

const awsVariables = {
  access_key_id: 'AWS_ACCESS_KEY_ID',
  secret_access_key: 'AWS_SECRET_ACCESS_KEY',
  session_token: 'AWS_SESSION_TOKEN',
} as const

const present = (env: Environment, name: string): string | undefined => (env[name] === '' ? undefined : env[name])

/** A provider's credentials as its environment variables give them; empty where none is set. */
export const environmentCredentials = (provider: string, env: Environment): Credentials => {
  const key = (keyVariables[provider] ?? []).map((name) => present(env, name)).find((value) => value !== undefined)
  if (key !== undefined) return { api_key: key }
  if (provider !== 'aws-bedrock') return {}
  const found = Object.entries(awsVariables).map(([field, name]) => [field, present(env, name)] as const)
  return Object.fromEntries(found.filter(([, value]) => value !== undefined))
}

/** A provider's region as its environment gives it; only AWS has one. */
export const environmentRegion = (adapter: string, env: Environment): string | undefined =>
  adapter === 'aws-bedrock' ? (present(env, 'AWS_REGION') ?? present(env, 'AWS_DEFAULT_REGION')) : undefined
