import type { IncomingMessage, ServerResponse } from 'node:http'
import { admit } from './admit.ts'
import type { Answer, Call } from './call.ts'
import { identify } from './identify.ts'
import { endLevers } from './levers/end.ts'
import { openCall } from './open-call.ts'
import { pull } from './pull.ts'
import { receive } from './receive.ts'
import { record } from './record.ts'
import { refuse } from './refuse.ts'
import { send } from './send.ts'
import { settle } from './settle.ts'
import type { World } from './world.ts'

/**
 * The way of a call. Read this first: each step is a file of its name, and fills in its part of `call`.
 *
 * A step that refuses throws a WeirError. Every outcome leaves through the last line, so every outcome leaves a receipt;
 * the answer's last bytes are held back until that receipt is in the journal.
 */
export const serve = async (request: IncomingMessage, response: ServerResponse, world: World): Promise<void> => {
  const call = openCall(request, response, world)
  const answer = await answerTo(call, world)
  const settled = await settle(call, answer, world) // usage × prices; what nobody reported is estimated
  const receipt = await record(call, answer, settled, world) // the receipt is written, its cost replaces the reservation, the last bytes leave
  if (call.pulling) endLevers(call, answer, receipt, world) // what levers learn from it
}

const answerTo = async (call: Call, world: World): Promise<Answer> => {
  try {
    await world.turn() // calls that came in one turn of the event loop go on side by side
    identify(call, world) // which provider is meant, by which key, who pays
    await receive(call, world) // the body, kept as it came; the wire reads model, stream, prompt, tags
    await admit(call, world) // limits and scopes, then the worst case is reserved in every budget
    const given = await pull(call, world) // levers, in the order of the playbook: a changed call, or an answer
    return given ?? (await send(call, world)) // attempts: open in the journal → dispatch → meter as the bytes pass
  } catch (error) {
    return refuse(call, error, world)
  }
}
