/** Other forms than JSON in which an answer can be had: `format` in the query of the verb's route. */
import { csvColumns } from '../cli/report/columns.ts'
import { perColumns } from '../cli/report/render-per.ts'
import { csv } from '../cli/show/output.ts'
import { formats } from '../cli/statement/formats.ts'
import type { Report } from '../verbs/spend/report.ts'
import { verb as spend } from '../verbs/spend.ts'
import { verb as statements } from '../verbs/statements.ts'
import { verb as unitCost } from '../verbs/unit-cost.ts'
import type { Verb } from '../verbs/verb.ts'

type Form = Readonly<{ media: string; render(result: unknown): string }>

const csvType = 'text/csv; charset=utf-8'

/** The forms of one verb's answer; no other result comes to them. */
const formsOf = <Result>(
  { name }: Pick<Verb<never, Result>, 'name'> & Readonly<{ run(...args: never): Promise<Result> }>,
  forms: Readonly<Record<string, Readonly<{ media: string; render: (result: Result) => string }>>>,
): Readonly<Record<string, Readonly<Record<string, Form>>>> => ({
  [name]: Object.fromEntries(
    Object.entries(forms).map(([form, { media, render }]) => [
      form,
      { media, render: (result) => render(result as Result) } satisfies Form,
    ]),
  ),
})

/** By the name of the verb. */
export const forms: Readonly<Record<string, Readonly<Record<string, Form>>>> = {
  ...formsOf(statements, formats),
  ...formsOf(spend, {
    csv: {
      media: csvType,
      render: ({ sections: [first] }) => csv(first?.rows ?? [], csvColumns(first?.by ?? [])),
    },
  }),
  ...formsOf(unitCost, { csv: { media: csvType, render: ({ rows, by }) => csv(rows, perColumns(by)) } }),
}

/** What an answer leaves out is said by a header, too: a CSV has no other place for it. */
type Header = Readonly<{ name: string; describes: string; of(result: unknown): string }>

/** By the name of the verb. */
export const headers: Readonly<Record<string, Header>> = {
  [spend.name]: {
    name: 'x-weir-more',
    describes: 'Rows that the limit left out',
    of: (result) => String((result as Report).sections.reduce((sum, { more }) => sum + more, 0)),
  },
}
