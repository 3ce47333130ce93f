/** Whoever else waits for this thread has its turn: the ledger, which gathers the next page, and the gateway. */
export const othersTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
