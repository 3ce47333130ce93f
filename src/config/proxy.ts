import type { Proxies } from '../core/settings.ts'
import { known } from './assemble.ts'
import type { Environment, Problem } from './document.ts'

/** Never by a proxy: what runs on this machine, the gateway itself too. */
const LOOPBACK = 'localhost,127.0.0.1,[::1]'

const kinds = new Set(['http:', 'https:', 'socks5:'])

/** A variable by either of its names; as everywhere, the one in small letters goes first. */
const variable = (env: Environment, name: string): string | undefined =>
  env[name.toLowerCase()] || env[name] || undefined

const isAddress = (text: string): boolean => URL.canParse(text) && kinds.has(new URL(text).protocol)

/** What is wrong is said without the address: it may hold a password. */
const problemOf = (name: string): Problem => ({
  field: name,
  message: 'found what is no address of a proxy (not shown); write it as http://proxy.example:3128, or unset it',
})

export type ProxyRead = Readonly<{ proxy: Proxies | undefined; problems: readonly Problem[] }>

/** The proxies that `HTTPS_PROXY` and `HTTP_PROXY` name, with what `NO_PROXY` leaves out; undefined where there are none. */
export const proxyOf = (env: Environment): ProxyRead => {
  const http = variable(env, 'HTTP_PROXY')
  const https = variable(env, 'HTTPS_PROXY')
  const except = variable(env, 'NO_PROXY') ?? ''
  if ((http ?? https) === undefined || except.trim() === '*') return { proxy: undefined, problems: [] }
  const wrong = Object.entries({ HTTP_PROXY: http, HTTPS_PROXY: https })
    .filter(([, address]) => address !== undefined && !isAddress(address))
    .map(([name]) => problemOf(name))
  return { proxy: { ...known({ http, https }), except: `${LOOPBACK},${except}` }, problems: wrong }
}
