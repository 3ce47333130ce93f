import type { Alert, AlertEvent } from './alert.ts'

/** One thing to tell. `id` is the delivery's, the same for every attempt. */
export type Notice = Readonly<{ id: string; event: AlertEvent; alert: Alert; at_us: number }>

/**
 * What a field of a destination holds. address: https, or http on this machine. secret: text that is never shown.
 * secret-address: an address that is a secret itself. texts: one text or a list.
 */
export type FieldKind = 'address' | 'secret-address' | 'secret' | 'text' | 'texts' | 'port' | 'flag'

export type ChannelField = Readonly<{
  kind: FieldKind
  needed: boolean
  expected: string
  /** What a text must be besides, where its kind does not say it. */
  fits?(value: string): boolean
}>

/** A channel as configured: its name, its type and its fields. */
export type Destination = Readonly<{
  name: string
  type: string
  fields: Readonly<Record<string, string | number | boolean | readonly string[]>>
}>

/** delivered: the far side has it. again: try later. refused: no further attempt helps. `answer` is what the far side said. */
export type Delivered = Readonly<{ state: 'delivered' | 'again' | 'refused'; answer: string; wait_ms?: number }>

/** Where an alert goes. */
export type Channel = Readonly<{
  /** What a destination in weir.yaml must and may say. */
  fields: Readonly<Record<string, ChannelField>>
  /** The events that are told there. */
  tells: readonly AlertEvent[]
  /** Tells once. Throws nothing. */
  deliver(notice: Notice, to: Destination): Promise<Delivered>
}>
