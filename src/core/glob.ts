const patterns = new Map<string, RegExp>()

/** Does `*` glob match the text? Patterns come from configuration and keys, so they are few. */
export const globMatches = (glob: string, text: string): boolean => {
  if (!glob.includes('*')) return glob === text
  let pattern = patterns.get(glob)
  if (!pattern) {
    const parts = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    pattern = new RegExp(`^${parts.join('.*')}$`, 's')
    if (patterns.size < 10_000) patterns.set(glob, pattern)
  }
  return pattern.test(text)
}
