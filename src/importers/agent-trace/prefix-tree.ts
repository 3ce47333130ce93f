/**
 * The prefix tree of one session. Each request names the latest earlier request (`parent`) with which it shares its
 * longest prefix, and how many tokens they share. From that, every request gets the chain of positions at which some
 * request of the session ends or branches off, with an identity that is the same for every request that has that prefix.
 */

export type TreeRequest = Readonly<{ in: number; parent: number | null; shared: number }>

/** Everything of a request's prompt up to `end` tokens was first sent by request `owner`. */
type Stretch = Readonly<{ owner: number; end: number }>

/** A prefix: its identity within the session, and its length in tokens. */
export type PrefixPoint = Readonly<{ id: string; tokens: number }>

/** The stretches of a request: its parent's, cut at what they share, then its own. */
const stretchesOf = (requests: readonly TreeRequest[]): readonly (readonly Stretch[])[] => {
  const all: Stretch[][] = []
  for (const [index, request] of requests.entries()) {
    const own: Stretch = { owner: index, end: request.in }
    const inherited: Stretch[] = []
    const parent = request.parent === null ? undefined : all[request.parent]
    for (const stretch of request.shared > 0 ? (parent ?? []) : []) {
      if (stretch.end >= request.shared) {
        inherited.push({ owner: stretch.owner, end: request.shared })
        break
      }
      inherited.push(stretch)
    }
    all.push(request.in > request.shared || inherited.length === 0 ? [...inherited, own] : inherited)
  }
  return all
}

/** Every point on the stretches that a request owns, shortest first; requests that share a prefix share the objects. */
const pointsByOwner = (paths: readonly (readonly Stretch[])[]): readonly (readonly PrefixPoint[])[] => {
  const ends = paths.map(() => new Set<number>())
  for (const path of paths) for (const { owner, end } of path) if (end > 0) ends[owner]?.add(end)
  return ends.map((tokens, owner) =>
    [...tokens].sort((a, b) => a - b).map((end) => ({ id: `${owner}:${end}`, tokens: end })),
  )
}

/** The prefix points of each request, shortest first. A request's last point is its whole prompt. */
export const prefixPoints = (requests: readonly TreeRequest[]): readonly (readonly PrefixPoint[])[] => {
  const paths = stretchesOf(requests)
  const owned = pointsByOwner(paths)
  return paths.map((path) => {
    const points: PrefixPoint[] = []
    for (const { owner, end } of path) {
      for (const point of owned[owner] ?? []) {
        if (point.tokens > end) break
        points.push(point)
      }
    }
    return points
  })
}
