/** Longest text that says who pays or what was called. */
const LONGEST = 256

/** Such a text as it may stand on a receipt: bounded, without control characters; undefined when nothing is left. */
export const labelOf = (value: string): string | undefined => {
  const cut = value.length > LONGEST ? value.slice(0, LONGEST) : value
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  const text = /[\u0000-\u001f\u007f-\u009f]/.test(cut) ? cut.replace(/[\u0000-\u001f\u007f-\u009f]/g, '') : cut
  return text.trim() || undefined
}
