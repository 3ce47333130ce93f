import type { Settings } from '../../core/settings.ts'
import { type Look, paint } from '../show/look.ts'
import { facts } from '../show/table.ts'

export type Listening = Readonly<{ url: string; console?: string; settings: Settings }>

/** An address that a client on this machine can use, where the gateway listens on all. */
const reachable = (url: string): string => url.replace(/\/\/(0\.0\.0\.0|\[::\])/, '//127.0.0.1')

/** Environment variables that the providers' SDKs read; each with the path that its SDK expects in a base URL. */
export const clientLines = (url: string): readonly (readonly [string, string])[] => {
  const base = reachable(url)
  return [
    ['OPENAI_BASE_URL', `${base}/v1`],
    ['ANTHROPIC_BASE_URL', base],
    ['GOOGLE_GEMINI_BASE_URL', base],
  ]
}

/** The proxy to providers, without the password that its address may hold. */
const proxyIn = ({ proxy }: Settings): string | undefined => {
  const address = proxy?.https ?? proxy?.http
  return address === undefined ? undefined : `the proxy ${new URL(address).host}`
}

/** What is said when the gateway listens: where, how to point a client at it, and where the data lies. */
export const renderBanner = ({ url, console, settings }: Listening, look: Look): string => {
  const colours = paint(look)
  const keys = settings.mode === 'keys'
  const how = keys
    ? 'Clients send a Weir key: weir keys create --name NAME --team TEAM'
    : 'Clients send their own provider key; every call is metered.'
  const own = settings.providers.filter(({ base_url }) => base_url !== undefined).map(({ name }) => name)
  return [
    `${colours.title('Weir')} listens on ${colours.bold(url)}`,
    '',
    `  ${how}`,
    '',
    ...clientLines(url).map(([name, value]) => `    export ${name}=${colours.cyan(value)}`),
    '',
    facts(
      [
        ['mode', settings.mode],
        ['data', settings.data],
        ['console', console === undefined ? undefined : `${console} (weir console token create --admin)`],
        ['goes out by', proxyIn(settings)],
        ['configured', own.length === 0 ? undefined : own.map((name) => `${name} at /${name}/…`).join(', ')],
        ['then', 'weir report · weir calls --follow · weir leaks'],
      ],
      look,
    ),
  ].join('\n')
}
