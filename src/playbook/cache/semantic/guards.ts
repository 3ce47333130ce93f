/**
 * What two prompts must have in common, to the letter, before one may be answered with the other's answer: an embedding
 * hardly sees a digit, a name or a `not`, and the answer hangs on them (`docs/cache.md`, trap pairs).
 */

/** Words that turn a question round. Their number counts modulo two, as two of them cancel out. */
const NEGATION =
  /\b(?:not|no|nor|never|none|nobody|nothing|neither|without|except|unless|cannot|unable|(?:do|does|did|is|are|was|were|has|have|had|ca|could|wo|would|should|must|need)n['’]?t)\b/gi

/** Pairs of which one is asked for: prompts that name different ones ask different things. */
const OPPOSITES = new Set(
  (
    'before after increase decrease more less most least maximum minimum buy sell enable disable start stop open close ' +
    'add remove first last newest oldest cheapest dearest credit debit send receive incoming outgoing import export ' +
    'true false male female left right above below from into encode decode encrypt decrypt upgrade downgrade'
  ).split(' '),
)

const MONTHS =
  /\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)(?:uary|ruary|ch|il|e|y|ust|tember|ober|ember)?\b/gi
const DAYS = /\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:today|tomorrow|yesterday|tonight|noon|midnight)\b/gi

/** Number words that people write out; `one` is left out, because it is mostly a pronoun. */
const NUMBER_WORDS =
  /\b(?:zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|half|quarter|double|twice|triple)\b/gi

const UNITS =
  /(?<=\d\s?)(?:%|°[cf]?|[kmg]?b|[kmc]?m|km\/h|mph|kg|g|lbs?|oz|ms|s|min|hours?|hrs?|days?|weeks?|months?|years?|px|pt|em)\b|[€£$¥₹]|\b(?:percent|usd|eur|gbp|jpy|inr|chf|cad|aud|dollars?|euros?|pounds?|yen|celsius|fahrenheit)\b/gi

/** Anything with a digit in it: numbers, dates, versions, order numbers, part numbers. */
const WITH_DIGIT = /[\p{L}\p{N}_]*\p{N}[\p{L}\p{N}_]*(?:[.,:/-][\p{L}\p{N}_]+)*/gu

/** Names that are spelt exactly: quoted, code, addresses, paths, camelCase, snake_case, CAPITALS of three or more. */
const SPELT =
  /"[^"\n]{1,200}"|`[^`\n]{1,200}`|\S+@\S+\.\S+|https?:\/\/\S+|\b[a-z]+(?:[A-Z][a-z]+)+\b|\b\w+(?:_\w+)+\b|\b[A-Z]{3,}\b/g

/** A name inside a sentence: a capital that does not begin it. */
const NAMES = /(?<=[\p{Ll},;] )\p{Lu}\p{Ll}+(?: \p{Lu}\p{Ll}+)*/gu

const found = (text: string, pattern: RegExp): string[] => text.match(pattern) ?? []
const lower = (words: readonly string[]): string[] => words.map((word) => word.toLowerCase())

/** Opposites in the order in which they stand: `from A to B` is not `from B to A`. */
const opposites = (text: string): string[] => lower(found(text, /\p{L}+/gu)).filter((word) => OPPOSITES.has(word))

/** The guards of a text as one string: equal strings, equal guards. Order counts. It is as secret as the text. */
export const guardsOf = (text: string): string =>
  [
    found(text, WITH_DIGIT),
    lower(found(text, NUMBER_WORDS)),
    lower(found(text, UNITS)),
    lower(found(text, MONTHS)),
    lower(found(text, DAYS)),
    found(text, SPELT),
    lower(found(text, NAMES)),
    opposites(text),
    [String(found(text, NEGATION).length % 2)],
  ]
    .map((words) => words.join(' '))
    .join('\n')
