// Written by `npm run fix`: one line for each file.
import { wire as anthropicMessages } from './anthropic-messages.ts'
import { wire as bedrockConverse } from './bedrock-converse.ts'
import { wire as bedrockInvoke } from './bedrock-invoke.ts'
import { wire as cohereChat } from './cohere-chat.ts'
import { wire as cohereEmbed } from './cohere-embed.ts'
import { wire as databricksInvocations } from './databricks-invocations.ts'
import { wire as geminiEmbeddings } from './gemini-embeddings.ts'
import { wire as geminiGenerate } from './gemini-generate.ts'
import { wire as geminiInteractions } from './gemini-interactions.ts'
import { wire as mistralOcr } from './mistral-ocr.ts'
import { wire as openaiAudio } from './openai-audio.ts'
import { wire as openaiBatches } from './openai-batches.ts'
import { wire as openaiChat } from './openai-chat.ts'
import { wire as openaiCompletions } from './openai-completions.ts'
import { wire as openaiEmbeddings } from './openai-embeddings.ts'
import { wire as openaiImages } from './openai-images.ts'
import { wire as openaiModerations } from './openai-moderations.ts'
import { wire as openaiResponses } from './openai-responses.ts'
import { wire as rerank } from './rerank.ts'
import { wire as snowflakeComplete } from './snowflake-complete.ts'
import { wire as voyageEmbeddings } from './voyage-embeddings.ts'

export const wires = {
  'anthropic-messages': anthropicMessages,
  'bedrock-converse': bedrockConverse,
  'bedrock-invoke': bedrockInvoke,
  'cohere-chat': cohereChat,
  'cohere-embed': cohereEmbed,
  'databricks-invocations': databricksInvocations,
  'gemini-embeddings': geminiEmbeddings,
  'gemini-generate': geminiGenerate,
  'gemini-interactions': geminiInteractions,
  'mistral-ocr': mistralOcr,
  'openai-audio': openaiAudio,
  'openai-batches': openaiBatches,
  'openai-chat': openaiChat,
  'openai-completions': openaiCompletions,
  'openai-embeddings': openaiEmbeddings,
  'openai-images': openaiImages,
  'openai-moderations': openaiModerations,
  'openai-responses': openaiResponses,
  rerank,
  'snowflake-complete': snowflakeComplete,
  'voyage-embeddings': voyageEmbeddings,
}
