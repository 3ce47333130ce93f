import { channels } from '../../channels/index.ts'
import { isSecretField, SHORTEST_SECRET } from '../../config/alerts.ts'
import type { Channel, Delivered, Destination, Notice } from '../../core/channel.ts'

const SHOWN = 240

/** The channel of a type; undefined where there is none. */
export const channelOf = (type: string): Channel | undefined => (channels as Readonly<Record<string, Channel>>)[type]

/** A word of an address, such as `services`, that any answer may hold. */
const isPlainWord = (piece: string): boolean => /^[a-z]{1,12}$/.test(piece)

/** What of a destination must not be repeated: its secrets and, of a secret address, every longer piece but plain words. */
const secretsOf = ({ type, fields }: Destination): readonly string[] =>
  Object.entries(channelOf(type)?.fields ?? {}).flatMap(([name, field]) => {
    const value = fields[name]
    if (!isSecretField(field) || typeof value !== 'string') return []
    const pieces = field.kind === 'secret-address' ? value.split(/[/?&=]/).filter((piece) => !isPlainWord(piece)) : []
    return [value, ...pieces].filter((piece) => piece.length >= SHORTEST_SECRET)
  })

/** A far side may repeat what it was sent; what we keep of its answer has no secret and no control characters. */
const harmless = (answer: string, secrets: readonly string[]): string =>
  secrets
    .reduce((text, secret) => text.replaceAll(secret, '…'), answer)
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, SHOWN)

/** Tells a destination once and says how that ended; the answer holds no secret of it or of `others`. Throws nothing. */
export const tell = async (
  notice: Notice,
  destination: Destination,
  others: readonly Destination[] = [],
): Promise<Delivered> => {
  const channel = channelOf(destination.type)
  if (!channel) return { state: 'refused', answer: `there is no channel of the type ${destination.type}` }
  try {
    const delivered = await channel.deliver(notice, destination)
    return { ...delivered, answer: harmless(delivered.answer, [destination, ...others].flatMap(secretsOf)) }
  } catch (error) {
    return { state: 'again', answer: `the channel failed (${(error as Error).name})` }
  }
}
