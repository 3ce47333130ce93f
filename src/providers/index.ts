// Written by `npm run fix`: one line for each file.
import { provider as anthropic } from './anthropic.ts'
import { provider as awsBedrock } from './aws-bedrock.ts'
import { provider as azureOpenai } from './azure-openai.ts'
import { provider as cohere } from './cohere.ts'
import { provider as databricks } from './databricks.ts'
import { provider as deepseek } from './deepseek.ts'
import { provider as fireworks } from './fireworks.ts'
import { provider as google } from './google.ts'
import { provider as groq } from './groq.ts'
import { provider as mistral } from './mistral.ts'
import { provider as openaiCompatible } from './openai-compatible.ts'
import { provider as openai } from './openai.ts'
import { provider as openrouter } from './openrouter.ts'
import { provider as perplexity } from './perplexity.ts'
import { provider as snowflake } from './snowflake.ts'
import { provider as together } from './together.ts'
import { provider as vertexAi } from './vertex-ai.ts'
import { provider as voyage } from './voyage.ts'
import { provider as xAi } from './x-ai.ts'

export const providers = {
  anthropic,
  'aws-bedrock': awsBedrock,
  'azure-openai': azureOpenai,
  cohere,
  databricks,
  deepseek,
  fireworks,
  google,
  groq,
  mistral,
  'openai-compatible': openaiCompatible,
  openai,
  openrouter,
  perplexity,
  snowflake,
  together,
  'vertex-ai': vertexAi,
  voyage,
  'x-ai': xAi,
}
