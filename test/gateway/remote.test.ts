import { MessageChannel } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { connect } from '../../src/gateway/remote.ts'

test('a failure that cannot cross to another thread whole is heard of all the same', async () => {
  const { port1, port2 } = new MessageChannel()
  const fail = () => {
    throw Object.assign(new Error('it broke'), { why: () => {} })
  }
  connect(port2, { fail })
  await expect(connect(port1, {}).call('fail')).rejects.toThrow('it broke')
  port1.close()
})
