/** What people call keys, by id. */
export type KeyNames = Readonly<Record<string, string>>

type Named = Readonly<{ id: string; name: string }>

/** The names of those keys whose ids are wanted; of all where nothing is said. */
export const namesOf = (keys: readonly Named[], wanted?: ReadonlySet<string | null | undefined>): KeyNames =>
  Object.fromEntries(keys.filter(({ id }) => wanted?.has(id) ?? true).map(({ id, name }) => [id, name]))

/** A key as people read it: by its name, with the id behind. */
export const calledKey = (id: string, names: KeyNames): string => {
  const name = names[id]
  return name === undefined ? id : `${name} (${id})`
}
