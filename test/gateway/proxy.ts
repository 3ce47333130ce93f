/** A proxy on the way out, as companies have one. Written for these tests. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'

type Seen = Readonly<{ target: string; authorization: string | undefined }>

/** Opens tunnels to what plays the provider, whatever name is asked for. Refuses with `status` where one is given. */
export const startProxy = async (status?: number) => {
  const tunnels: Seen[] = []
  const far = { port: 0 }
  const proxy = createServer()
  proxy.on('connect', ({ url = '', headers }, socket) => {
    tunnels.push({ target: url, authorization: headers['proxy-authorization'] })
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const end = connect(far.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      socket.pipe(end).pipe(socket)
    })
    end.on('error', () => socket.destroy())
    socket.on('error', () => end.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo
  return { tunnels, far, port, close: () => void proxy.close() }
}
