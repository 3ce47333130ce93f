import type { StatementReport } from '../../playbook/allocate/statement/statement.ts'
import { csvOf } from './csv.ts'
import { mailOf, messageOf } from './email.ts'

/** Forms in which statements are handed out, with their media types. */
export const formats: Readonly<
  Record<string, Readonly<{ media: string; render: (report: StatementReport) => string }>>
> = {
  markdown: { media: 'text/markdown; charset=utf-8', render: (report) => `${mailOf(report).text}\n` },
  html: { media: 'text/html; charset=utf-8', render: (report) => `${mailOf(report).html}\n` },
  email: { media: 'message/rfc822', render: (report) => messageOf(mailOf(report)) },
  csv: { media: 'text/csv; charset=utf-8', render: csvOf },
}
