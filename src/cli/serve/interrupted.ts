/** Resolves at the first SIGINT or SIGTERM. A second one ends the process at once. */
export const interrupted = (): Promise<string> =>
  new Promise((resolve) => {
    let asked = false
    const stop = (signal: NodeJS.Signals): void => {
      if (asked) process.exit(signal === 'SIGINT' ? 130 : 143)
      asked = true
      resolve(signal)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
