import { defineCommand } from 'citty'
import { channels } from '../../channels/index.ts'
import { fieldProblem, isSecretField, type StoredSecrets } from '../../config/alerts.ts'
import type { Channel } from '../../core/channel.ts'
import { WeirError } from '../../core/errors.ts'
import { seal, unseal } from '../../stores/sealing.ts'
import { type FolderFlags, folderArgs } from '../asking.ts'
import { standardInput } from '../keys/provider.ts'
import { credentialsKey, isChannelSecret, random, secretName, withStore } from '../keys/vault.ts'
import { print, printJson } from '../show/output.ts'

const secretFields = [
  ...new Set(
    Object.values<Channel>(channels).flatMap(({ fields }) =>
      Object.entries(fields).flatMap(([name, field]) => (isSecretField(field) ? [name] : [])),
    ),
  ),
]

/** Secret fields of channels that the store keeps, opened, by the channel's name. */
export const storedChannels = (flags: FolderFlags): Promise<StoredSecrets> =>
  withStore(flags, async (store, data) => {
    const sealed = Object.entries(await store.secrets.all()).filter(([name]) => isChannelSecret(name))
    return Object.fromEntries(
      sealed.map(([name, text]) => [
        name.slice(secretName('').length),
        JSON.parse(unseal(text, { key: credentialsKey(data), about: name })) as Record<string, string>,
      ]),
    )
  })

/** Throws WeirError `bad-input` where no type of channel takes the secret in this field: a gateway would not start with it. */
const checkSecret = (field: string, given: string): void => {
  const wanted = Object.values<Channel>(channels).flatMap(({ fields }) => {
    const found = fields[field]
    return found && isSecretField(found) ? [found] : []
  })
  const problems = wanted.map((one) => fieldProblem(given, one))
  if (problems.every((problem) => problem !== undefined))
    throw new WeirError('bad-input', `--field ${field}: ${problems[0] ?? 'no channel has it'}`)
}

/** Keeps a channel's secret out of weir.yaml. */
export const secret = {
  ...defineCommand({
    meta: {
      name: 'secret',
      description: 'Store a secret field of a channel, sealed. It is read from standard input, never from a flag.',
    },
    args: {
      channel: { type: 'positional', required: true, description: 'The channel’s name in weir.yaml' },
      field: { type: 'string', valueHint: 'NAME', description: `Which field: ${secretFields.join(', ')}` },
      ...folderArgs,
    },
    run: async ({ args }) => {
      const { channel, field = '' } = args
      if (!secretFields.includes(field))
        throw new WeirError('bad-input', `--field ${field}: name the secret field, one of ${secretFields.join(', ')}`)
      const given = (await standardInput(`${channel} (${field})`)).trim()
      if (given === '') throw new WeirError('bad-input', 'nothing came on standard input: pipe the secret in')
      checkSecret(field, given)
      const before = (await storedChannels(args))[channel] ?? {}
      await withStore({ ...args, make: true }, async (store, data) => {
        const about = secretName(channel)
        const plain = JSON.stringify({ ...before, [field]: given })
        await store.secrets.put(about, seal(plain, { key: credentialsKey(data), about, random }))
      })
      if (args.json) printJson({ channel, field, set: true })
      else
        print(
          `The ${field} of the channel ${channel} is kept, sealed. It is used after weir reload, or from the next start of the gateway.`,
        )
    },
  }),
  examples: [['weir alerts secret ops --field url < slack-webhook.txt', 'the address of a Slack webhook']],
} as const
