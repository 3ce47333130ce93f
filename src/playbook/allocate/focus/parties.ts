/** Who serves, hosts and bills, in the words of their invoices. A provider that is not here keeps its configured name. */

export type Parties = Readonly<{
  /** ServiceProviderName, HostProviderName and InvoiceIssuerName are one for all of these. */
  provider: string
  service: string
}>

const parties: Readonly<Record<string, Parties>> = {
  anthropic: { provider: 'Anthropic', service: 'Claude API' },
  'aws-bedrock': { provider: 'Amazon Web Services', service: 'Amazon Bedrock' },
  'azure-openai': { provider: 'Microsoft', service: 'Azure OpenAI' },
  cohere: { provider: 'Cohere', service: 'Cohere API' },
  databricks: { provider: 'Databricks', service: 'Mosaic AI Model Serving' },
  deepseek: { provider: 'DeepSeek', service: 'DeepSeek API' },
  fireworks: { provider: 'Fireworks AI', service: 'Fireworks Inference' },
  google: { provider: 'Google', service: 'Gemini API' },
  groq: { provider: 'Groq', service: 'GroqCloud' },
  mistral: { provider: 'Mistral AI', service: 'Mistral API' },
  openai: { provider: 'OpenAI', service: 'OpenAI API' },
  openrouter: { provider: 'OpenRouter', service: 'OpenRouter API' },
  perplexity: { provider: 'Perplexity', service: 'Sonar API' },
  snowflake: { provider: 'Snowflake', service: 'Snowflake Cortex' },
  together: { provider: 'Together AI', service: 'Together Inference' },
  'vertex-ai': { provider: 'Google Cloud', service: 'Vertex AI' },
  voyage: { provider: 'Voyage AI', service: 'Voyage API' },
  'x-ai': { provider: 'xAI', service: 'xAI API' },
}

/** The parties behind a provider's name or adapter. */
export const partiesOf = (name: string, adapter: string | undefined): Parties =>
  parties[adapter ?? name] ?? parties[name] ?? { provider: name, service: `${name} API` }

const developers: readonly (readonly [RegExp, string])[] = [
  [/claude/, 'Anthropic'],
  [/\bgpt|^o[134]\b|^o[134]-|whisper|dall-e|text-embedding-(3|ada)|codex/, 'OpenAI'],
  [/gemini|gemma|imagen|veo/, 'Google'],
  [/llama/, 'Meta'],
  [/mistral|mixtral|magistral|codestral|ministral|devstral|voxtral|pixtral/, 'Mistral AI'],
  [/deepseek/, 'DeepSeek'],
  [/grok/, 'xAI'],
  [/command|rerank-v|embed-(english|multilingual|v)/, 'Cohere'],
  [/qwen|qwq/, 'Alibaba Cloud'],
  [/nova|titan/, 'Amazon'],
  [/sonar/, 'Perplexity'],
  [/kimi/, 'Moonshot AI'],
  [/glm/, 'Z.ai'],
  [/voyage/, 'Voyage AI'],
]

/** Who made a model, by its name; undefined when the name does not say. */
export const developerOf = (model: string): string | undefined =>
  developers.find(([pattern]) => pattern.test(model.toLowerCase()))?.[1]

const slug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '') || 'unknown'

const clouds: readonly (readonly [provider: RegExp, service: RegExp, name: string, otherwise: string])[] = [
  [/amazon|aws/i, /bedrock/i, 'aws-bedrock', 'aws'],
  [/microsoft|azure/i, /openai|foundry|cognitive/i, 'azure-openai', 'azure'],
  [/google|gcp/i, /vertex/i, 'vertex-ai', 'gcp'],
]

/**
 * The name under which a FOCUS row's provider stands in the ledger: that of its adapter where the row is of a model API
 * that Weir knows, else its own in lower case with hyphens (`aws`, `azure`, `gcp` for the rest of a cloud).
 */
export const providerNamed = (provider: string, service: string): string => {
  const exact = Object.entries(parties).find(
    ([name, one]) =>
      name === slug(provider) ||
      (one.provider.toLowerCase() === provider.toLowerCase() && (one.service === service || !isCloud(provider))),
  )
  if (exact) return exact[0]
  if (/^google$/i.test(provider) && /gemini|ai studio/i.test(service)) return 'google'
  const cloud = clouds.find(([pattern]) => pattern.test(provider))
  if (cloud) return cloud[1].test(service) ? cloud[2] : cloud[3]
  return slug(provider)
}

const isCloud = (provider: string): boolean => clouds.some(([pattern]) => pattern.test(provider))
