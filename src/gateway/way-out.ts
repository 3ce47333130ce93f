import { Agent, type Dispatcher, EnvHttpProxyAgent, setGlobalDispatcher } from 'undici'
import type { Proxies } from '../core/settings.ts'

/** How calls leave this machine: straight, or by the proxies that the environment names. `connect_ms` is the time to connect. */
export const openWayOut = (connect_ms: number, proxy: Proxies | undefined): Dispatcher => {
  const timeout = connect_ms
  const always = { connect: { timeout }, keepAliveTimeout: 30_000 }
  if (proxy === undefined) return new Agent(always)
  return new EnvHttpProxyAgent({
    ...always,
    httpProxy: proxy.http ?? '',
    httpsProxy: proxy.https ?? '',
    noProxy: proxy.except,
    proxyTls: { timeout },
    requestTls: { timeout },
  })
}

/** From now on whatever this process asks of others (bills, channels) goes by these proxies too. */
export const goOutBy = (proxy: Proxies, connect_ms: number): void => setGlobalDispatcher(openWayOut(connect_ms, proxy))
