import { createHash } from 'node:crypto'
import type { StatementReport } from '../../playbook/allocate/statement/statement.ts'
import { clean } from '../show/format.ts'
import { htmlOf } from './html.ts'
import { markdownOf } from './markdown.ts'
import { pageOf, titleOf } from './statement-page.ts'

/** A statement as a mail: what a channel needs to send it. */
export type StatementMail = Readonly<{ subject: string; text: string; html: string }>

export const mailOf = (report: StatementReport): StatementMail => {
  const page = pageOf(report)
  const subject = clean(titleOf(report))
  return { subject, text: markdownOf(page), html: htmlOf(page, subject) }
}

const base64 = (text: string): string =>
  (
    Buffer.from(text, 'utf8')
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  ).join('\r\n')

/** RFC 2047 words of at most 45 bytes each, never cut within a character. */
const encodedWords = (text: string): string => {
  const words: string[] = []
  let word = ''
  for (const character of text) {
    if (Buffer.byteLength(word + character) > 45) {
      words.push(word)
      word = ''
    }
    word += character
  }
  return [...words, word].map((one) => `=?utf-8?B?${Buffer.from(one, 'utf8').toString('base64')}?=`).join('\r\n ')
}

/** The mail as a message file (RFC 5322): plain text first, HTML as its alternative. Sender and receiver are left to who sends it. */
export const messageOf = ({ subject, text, html }: StatementMail): string => {
  const boundary = `weir-${createHash('sha256').update(text).update(html).digest('hex').slice(0, 32)}`
  const part = (type: string, content: string) =>
    [
      `--${boundary}`,
      `Content-Type: ${type}; charset=utf-8`,
      'Content-Transfer-Encoding: base64',
      '',
      base64(content),
    ].join('\r\n')
  return [
    `Subject: ${/^[\x20-\x7e]{0,70}$/.test(subject) ? subject : encodedWords(subject)}`,
    'MIME-Version: 1.0',
    `Content-Type: multipart/alternative; boundary="${boundary}"`,
    '',
    part('text/plain', text),
    part('text/html', html),
    `--${boundary}--`,
    '',
  ].join('\r\n')
}
