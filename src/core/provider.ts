import type { Headers, Quirks } from './wire.ts'

/** A provider as configured: which adapter, where, with which secrets. Destinations come from here and nowhere else. */
export type ProviderSettings = Readonly<{
  /** The name in routes, receipts and path prefixes. */
  name: string
  /** The adapter in `src/providers`, e.g. `openai`, `aws-bedrock`, `openai-compatible`. */
  adapter: string
  /** Origin and base path; the adapter's default where absent. */
  base_url?: string
  region?: string
  /** Adapter-specific, e.g. Azure's `api_version`, Vertex's `project`. */
  options: Readonly<Record<string, string>>
  credentials: Credentials
  /** Name under which prices are looked up when it is not the adapter's. */
  price_as?: string
}>

/** Secrets of a provider. Empty in pass-through mode: then the client's own headers go through. */
export type Credentials = Readonly<{
  api_key?: string
  access_key_id?: string
  secret_access_key?: string
  session_token?: string
}>

/** What the adapter must know to address a call. */
export type AddressRequest = Readonly<{
  wire: string | undefined
  method: string
  path: string
  query: string
  /** The model of the target; differs from the one in the request when a route renames it. */
  model: string | undefined
  /** True when the client spoke to this provider itself, so its path is already the provider's own. */
  native: boolean
}>

export type Address = Readonly<{
  /** Scheme, host and port from the settings, e.g. `https://api.openai.com`. */
  origin: string
  /** Begins with `/` and holds the query, so that origin + path is the URL to dispatch. */
  path: string
  region?: string
}>

export type Outgoing = Readonly<{
  method: string
  url: string
  headers: Readonly<Record<string, string>>
  body: Uint8Array
}>

/** Somebody who serves models. It knows no wire's insides. */
export type Provider = Readonly<{
  name: string
  /** Fixed facts: the wires it speaks, quirks by wire, default base URL, request headers that carry its key. */
  traits: Readonly<{
    wires: readonly string[]
    base_url?: string
    quirks: Readonly<Partial<Record<string, Quirks>>>
    key_headers: readonly string[]
    /** What must be configured where no `base_url` is a fixed fact: the address itself, or the region that it depends on. */
    needs?: 'base_url' | 'region'
    /** Every option that it takes, and what its value may be. */
    options?: Readonly<Record<string, RegExp>>
    /** What happens to generation when the client goes: `cancel` stops billing, `drain` does not help to cancel. */
    on_client_gone: 'cancel' | 'drain'
  }>
  /** Does a bare path (no provider prefix) belong to this provider? The most specific claim wins; 0 is no. */
  claims(path: string, headers: Headers): number
  /** Where to send. Throws WeirError `bad-config` (settings) or `bad-request` (a path that is not one). */
  address(settings: ProviderSettings, request: AddressRequest): Address
  /**
   * All headers to send, in place of the outgoing ones: with credentials of ours the client's key headers are gone and
   * ours are in; without, they pass as they came. `now_us` is the time for signatures, µs since the epoch.
   */
  authorise(
    settings: ProviderSettings,
    outgoing: Outgoing,
    now_us: number,
  ): Promise<Record<string, string>> | Record<string, string>
}>
