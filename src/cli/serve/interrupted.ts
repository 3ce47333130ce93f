const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** Resolves at the first SIGINT, SIGTERM or SIGHUP (its terminal has gone). A second one ends the process at once. */
export const interrupted = (): Promise<string> =>
  new Promise((resolve) => {
    let asked = false
    for (const [signal, code] of Object.entries(exitCodes))
      process.on(signal, () => {
        if (asked) process.exit(code)
        asked = true
        resolve(signal)
      })
  })
