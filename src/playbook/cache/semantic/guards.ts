/**
 * What two prompts must have in common, to the letter, before one may be answered with the other's answer: an embedding
 * hardly sees a digit, a name or a `not`, and the answer hangs on them (`docs/cache.md`, trap pairs).
 */

/** Words that turn a question round. Their number counts modulo two, as two of them cancel out; so of a pair such as `ne … pas` one is listed. */
const NEGATION =
  /\b(?:not|no|nor|never|none|nobody|nothing|neither|without|except|unless|cannot|unable|(?:do|does|did|is|are|was|were|has|have|had|ca|could|wo|would|should|must|need)n['’]?t)\b/gi

/** The same in other languages. Some write it within the word, or without spaces between words. */
const NEGATION_ELSEWHERE =
  /(?<!\p{L})(?:nicht|kein\p{L}*|nie(?:mals)?|ohne|weder|pas|jamais|aucune?|sans|nunca|jamás|ning[uú]n\p{L}*|sin|tampoco|não|nem|sem|non|mai|senza|nessun\p{L}*|niet|geen|nooit|zonder|не|нет|нельзя|никогда|без|bez|ikke|inte|aldrig|utan|uden|değil|لا|لم|لن|ليس|بدون|नहीं|मत|बिना|안|못)(?!\p{L})|[不没沒无無非未别別]|ない|ません|없|않/giu

/** Pairs of which one is asked for: prompts that name different ones ask different things. */
const OPPOSITES = new Set(
  (
    'before after increase decrease more less most least maximum minimum buy sell enable disable start stop open close ' +
    'add remove first last newest oldest cheapest dearest credit debit send receive incoming outgoing import export ' +
    'true false male female left right above below from into encode decode encrypt decrypt upgrade downgrade ' +
    'over under morning evening older newer cheaper dearer delete restore allowed forbidden safe unsafe legal illegal ' +
    'possible impossible'
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

/** Names that are spelt exactly: quoted, code, addresses, paths, camelCase, snake_case, CAPITALS, and a letter that stands for itself. */
const SPELT =
  /"[^"\n]{1,200}"|`[^`\n]{1,200}`|\S+@\S+\.\S+|https?:\/\/\S+|\b[a-z]+(?:[A-Z][a-z]+)+\b|\b\w+(?:_\w+)+\b|\b[A-Z]{2,}\b|(?<=\S )[A-HJ-Z]\b|\b[B-HJ-Z]\b(?!['’.])/g

/** Quoted in other ways. An apostrophe stands within a word or at its end. */
const QUOTED =
  /“[^”\n]{1,200}”|„[^“”\n]{1,200}[“”]|«[^»\n]{1,200}»|‘[^’\n]{1,200}’|「[^」\n]{1,200}」|(?<![\p{L}\p{N}])'[^'\n]{1,200}'(?![\p{L}\p{N}])/gu

/** Signs before numbers, comparisons, and what tells languages such as C++ and C# apart. */
const SIGNS = /(?<![\p{L}\p{N}])[-−+](?=\.?\d)|[<>!=]=+|[<>≤≥≠±^]|&&|\|\||\+\+|\b\w#/gu

/** Where something goes from and to: either may be a name in small letters. */
const FROM_TO = /\bfrom\s+\S+(?:\s+\S+){0,2}?\s+to\s+\S+/gi

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
    found(text, QUOTED),
    found(text, SIGNS),
    lower(found(text, FROM_TO)),
    lower(found(text, NAMES)),
    opposites(text),
    [String((found(text, NEGATION).length + found(text, NEGATION_ELSEWHERE).length) % 2)],
  ]
    .map((words) => words.join(' '))
    .join('\n')
