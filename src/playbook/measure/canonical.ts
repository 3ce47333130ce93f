/** JSON nested deeper than this has no fingerprint: no provider reads it, and recursion must end. */
const DEEPEST = 128

/**
 * Top-level fields that do not change what the model is asked: how the answer travels, who asks, how it is billed, stored
 * and cached. Two bodies that differ only in these ask the same.
 */
const noise = new Set([
  'stream',
  'stream_options',
  'metadata',
  'labels',
  'user',
  'safety_identifier',
  'service_tier',
  'serviceTier',
  'store',
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_options',
])

/** Cache marks sit on any block and move from call to call. A tool may have a property of that name: that one stays. */
const isCacheMark = (key: string, value: unknown) =>
  key === 'prompt_cache_breakpoint' ||
  (key === 'cache_control' &&
    (value === null || (typeof value === 'object' && 'type' in value && value.type === 'ephemeral')))

/** Keys in order of UTF-16 units. Most objects have few, and insertion beats the general sort there. */
const sortedKeys = (value: object): string[] => {
  const keys = Object.keys(value)
  if (keys.length > 12) return keys.sort()
  for (let index = 1; index < keys.length; index++) {
    const key = keys[index] ?? ''
    let place = index
    while (place > 0 && (keys[place - 1] ?? '') > key) keys[place] = keys[--place] ?? ''
    keys[place] = key
  }
  return keys
}

/** Writes tools: they are many small values and the same ones call after call, so what they were written as is kept. */
export type KnownTools = (json: string, write: () => string) => string

/**
 * Writes parsed JSON so that equal content gives equal text: keys sorted at every level, noise and cache marks left out,
 * long texts by digest. The text is injective, not JSON. Throws RangeError when nested deeper than 128.
 */
export const canonical = (json: unknown, digest: (text: string) => string, tools: KnownTools): string => {
  const fields = (value: Readonly<Record<string, unknown>>, depth: number) => {
    let text = '{'
    for (const key of sortedKeys(value)) {
      const field = value[key]
      if (field === undefined || (depth === 0 && noise.has(key)) || isCacheMark(key, field)) continue
      const known = depth === 0 && key === 'tools'
      const written = known ? tools(JSON.stringify(field), () => write(field, 1)) : write(field, depth + 1)
      text += `${key.length}:${key}=${written}`
    }
    return `${text}}`
  }
  const write = (value: unknown, depth: number): string => {
    if (typeof value === 'string') return `"${value.length}:${digest(value)}`
    if (typeof value !== 'object' || value === null) return `${String(value)};`
    if (depth > DEEPEST) throw new RangeError('nested too deep')
    if (!Array.isArray(value)) return fields(value as Record<string, unknown>, depth)
    let text = '['
    for (const item of value) text += write(item, depth + 1)
    return `${text}]`
  }
  return write(json, 0)
}
