import type { AlertKind, FoundKind, Severity } from './alert.ts'
import type { Budget } from './budget.ts'
import type { Destination } from './channel.ts'
import type { LeverPolicy } from './lever.ts'
import type { PriceRow } from './price.ts'
import type { ProviderSettings } from './provider.ts'

/** `*` globs over the call; every field given must match. */
export type RouteMatch = Readonly<{
  model?: string
  wire?: string
  team?: string
  feature?: string
  environment?: string
}>

/** Provider + model. Without `model` the asked one is kept. */
export type Target = Readonly<{ provider: string; model?: string }>

export type Route = Readonly<{ match: RouteMatch; targets: readonly Target[] }>

export type Limits = Readonly<{
  /** Largest request body, bytes. */
  body_bytes: number
  /** Calls in flight per gateway thread; more are refused with 503. */
  concurrent_calls: number
  /** To connect and send, until the response's head, and between two pieces of a stream. */
  connect_ms: number
  head_ms: number
  idle_ms: number
  /** Dispatches for one call, retries and fallbacks together. */
  attempts: number
  /** After the client has gone: how long and how much more is read to reach the usage event. */
  drain_ms: number
  drain_bytes: number
  /** At shutdown: how long calls are still taken while `/readyz` says that no more should come, then how long streams may finish. */
  shutdown_delay_ms: number
  shutdown_ms: number
}>

/** Consecutive failures open the circuit for a while. */
export type Breaker = Readonly<{ failures: number; open_ms: number }>

/** Minutes after local midnight; where `from` is the later one the hours reach over midnight. */
export type QuietHours = Readonly<{ from_minute: number; to_minute: number; zone: string }>

/** Alerts that match go to these channels. `kinds` and `owners` are globs; `severity` means at least so grave. */
export type AlertRoute = Readonly<{
  match: Readonly<{ kinds?: readonly string[]; owners?: readonly string[]; severity?: Severity }>
  channels: readonly string[]
  quiet?: QuietHours
}>

/** What is done about a session or key that runs away; without `minutes` until somebody releases it. */
export type ContainRule = Readonly<{
  kind: AlertKind
  action: 'stop' | 'throttle'
  calls_per_minute?: number
  minutes?: number
}>

export type AlertSettings = Readonly<{
  /** False: receipts are not watched at all. */
  watch: boolean
  /** IANA zone of days, weekdays and midnight. */
  zone: string
  /** Kinds that nobody is told of. */
  off: readonly AlertKind[]
  /** Excess below this pages nobody, US dollars by kind; what is not named has its default. */
  floors: Readonly<Partial<Record<FoundKind, string>>>
  /** How long the same trouble is not told again unless it doubles, minutes by kind. */
  cooldowns: Readonly<Partial<Record<FoundKind, number>>>
  session_multiple?: number
  /** US dollars. */
  session_ceiling?: string
  storm_repeats?: number
  learning_days?: number
  stale_after_days?: number
  /** Days after which what is over is forgotten: an alert since it was last seen, a delivery since it was made. */
  keep_days: number
  keep_deliveries_days: number
  /** Shares of a budget, percent, that are told when they are spent. */
  budget_percents: readonly number[]
  routes: readonly AlertRoute[]
  contain: readonly ContainRule[]
}>

/** A model behind a provider's `/v1/embeddings`; the provider's key must be ours. */
type RemoteEmbedderSettings = Readonly<{ provider: string; model: string; deadline_ms: number }>

/** An ONNX model by name, in a folder of models or fetched on first use. */
export type LocalEmbedderSettings = Readonly<{ local: string; folder?: string; deadline_ms: number }>

export type EmbedderSettings = RemoteEmbedderSettings | LocalEmbedderSettings

/** A LLMLingua-2 model in ONNX form, by the folder that holds it. */
export type CompressorSettings = Readonly<{ folder: string }>

/** What levers may use beside the call's own provider. */
export type Services = Readonly<{ embedder?: EmbedderSettings; compressor?: CompressorSettings }>

/** Addresses of the proxies that calls leave by, as the environment names them; hosts under `except` are reached without. */
export type Proxies = Readonly<{ http?: string; https?: string; except: string }>

/** weir.yaml, the environment and flags, parsed once. Everything has a default. */
export type Settings = Readonly<{
  host: string
  port: number
  /** pass-through: the client's own provider key goes through. keys: a Weir key is needed and provider keys are ours. */
  mode: 'pass-through' | 'keys'
  /** The console's port on loopback, 0 for a free one; `next` is the gateway's own plus one. */
  console: number | 'next' | 'off'
  /** What the organisation is called, for people. */
  organisation?: string
  /** Folder of journal, ledger and store. */
  data: string
  threads: number
  providers: readonly ProviderSettings[]
  routes: readonly Route[]
  services: Services
  proxy?: Proxies
  limits: Limits
  /** Which lever works where: the first that matches a call decides for the levers that it names. None: no lever works. */
  policies: readonly LeverPolicy[]
  breaker: Breaker
  on_client_gone: 'provider' | 'cancel' | 'drain'
  /** Budgets of weir.yaml; others are in the store. */
  budgets: readonly Budget[]
  /** Contract prices, the top layer of the book. */
  prices: readonly PriceRow[]
  /** Ceiling for calls with unpriced models, USD per million input and output tokens. */
  unpriced_ceiling: Readonly<{ input: string; output: string }>
  /** Output tokens assumed for a reservation where the call asks no maximum. */
  reserve_output_tokens: number
  channels: readonly Destination[]
  alerts: AlertSettings
  log_level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}>
