/** Does one thing after the other, whether or not the one before failed. */
export const inTurn = () => {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(act: () => Promise<T>): Promise<T> => {
    const done = last.catch(() => {}).then(act)
    last = done
    return done
  }
}
