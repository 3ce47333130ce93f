/** Bedrock's model stands in the path only: an id, a cross-region profile (`us.…`), or an ARN, percent-escaped. */
import { unescaped } from '../framing/json.ts'

export type ModelPath = Readonly<{ model: string; operation: string; provisioned: boolean }>

const PATH = /^\/model\/(.+)\/(converse|converse-stream|invoke|invoke-with-response-stream)$/

/** ARNs that end in an id that has a price; others (application profiles, custom and imported models) name nothing public. */
const NAMED_ARN = /^arn:aws[a-z-]*:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)\/(.+)$/

/** The model as prices know it: the id at the end of a public ARN, anything else as it is. */
export const publicModel = (id: string): string => NAMED_ARN.exec(id)?.[1] ?? id

/** Model and operation of a Bedrock path, unescaped; undefined for other paths. */
export const readModelPath = (path: string): ModelPath | undefined => {
  const match = PATH.exec(path)
  if (!match) return undefined
  const id = unescaped(match[1] ?? '')
  return { model: publicModel(id), operation: match[2] ?? '', provisioned: id.includes(':provisioned-model/') }
}

/** Who made the model, without the region before it: `us.anthropic.claude…` is `anthropic`. Undefined for opaque ARNs. */
export const vendorOf = (model: string): string | undefined =>
  model.startsWith('arn:')
    ? undefined
    : /^(?:(?:us|eu|apac|jp|au|ca|sa|global|us-gov)\.)?([a-z0-9]+)\./.exec(model)?.[1]
