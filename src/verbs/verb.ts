import type { z } from 'zod'
import type { BudgetState } from '../core/budget.ts'
import type { Ledger } from '../core/ledger.ts'
import type { Settings } from '../core/settings.ts'
import type { Store } from '../core/store.ts'
import type { Rules } from '../playbook/allocate/statement/rules.ts'
import type { StatementReport } from '../playbook/allocate/statement/statement.ts'
import type { UnitCostReport } from '../playbook/allocate/unit-cost/ask.ts'
import type { Field } from './asking/time.ts'
import type { StatementsAsked } from './statement/asked.ts'
import type { UnitCostsAsked } from './unit-cost/asked.ts'

/** Who may: whoever reads for one team (and then sees that team only), or the administrator alone. */
export type Access = 'team' | 'admin'

/** How a verb looks over HTTP. Names in braces are fields of its input; the rest of the input is query or JSON body. */
export type Http = Readonly<{
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: `/v1/${string}`
  /** The body is a file; the path of what was sent is handed to the verb as this field, which no client can set. */
  upload?: string
  /** The answer is a file; the verb writes it to the path in this field, which no client can set. */
  download?: string
  /** Fields that only commands on this machine set. */
  local?: readonly string[]
}>

/** Asks receipts, and nothing else. */
export type Asking = Pick<Ledger, 'query'>

/** All that a verb can reach. What it opens is opened when it is first asked for. */
export type Context = Readonly<{
  /** Receipts as the virtual tags in force say who pays, and for a team only its own. */
  ledger(): Promise<Asking>
  /** What else lasts. Only `make` makes a store where there is none; what reads finds it empty then. */
  store(how?: Readonly<{ make: true }>): Promise<Store>
  /** What needs every owner's spend, because shared costs are handed on; a team gets its own of it. */
  statements(asked: StatementsAsked): Promise<StatementReport>
  unitCosts(asked: UnitCostsAsked): Promise<UnitCostReport>
  rules(): Promise<Rules>
  /** How the budgets stand; for a team those of its own calls. */
  budgets(): Promise<readonly BudgetState[]>
  /** weir.yaml. Throws WeirError `bad-config`. */
  settings(): Promise<Settings>
  /** A key derived from the master secret, for one purpose. */
  secret(purpose: 'token-pepper' | 'console-tokens' | 'provider-credentials'): Uint8Array
  /** The data folder. */
  data: string
  now_us(): number
  random(size: number): Uint8Array
  /** A variable of the environment. */
  variable(name: string): string | undefined
  /** How a field of the input is called in messages to whoever gave it. */
  field: Field
  /** Told how far a long piece of work is. */
  progress?(done: number, doing?: string): void
  /** The only team that may be seen; absent for who may see all. */
  team?: string
}>

/** One thing that can be asked or done, for the command line and the console alike. Its result is plain JSON. */
export type Verb<Input extends z.ZodObject = z.ZodObject, Result = unknown> = Readonly<{
  /** Words of the command that does the same, e.g. `keys rotate`. */
  name: string
  /** One sentence for the OpenAPI document. */
  describes: string
  access: Access
  http: Http
  input: Input
  /** The shape of the result, closed: what is not named does not come. */
  output: z.ZodType<NoInfer<Result>>
  /** Throws WeirError that names the field. */
  run(input: z.output<Input>, context: Context): Promise<Result>
}>

/** Only for its types: the input of `run` is what the schema makes of it. */
export const defineVerb = <Input extends z.ZodObject, Result>(verb: Verb<Input, Result>): Verb<Input, Result> => verb
