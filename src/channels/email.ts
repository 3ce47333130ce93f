import type { Channel, Delivered, Destination, Notice } from '../core/channel.ts'
import { factsOf, nextStep, spoken, titleOf } from '../playbook/allocate/alert/wording.ts'

const PATIENCE_MS = 15_000

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const textOf = ({ alert }: Notice): string =>
  [
    spoken(alert, alert.message),
    '',
    ...factsOf(alert).map(([name, value]) => `${`${name}:`.padEnd(16)} ${value}`),
    '',
    nextStep(alert),
    '',
  ].join('\n')

const row = ([name, value]: readonly [string, string]): string =>
  `<tr><th align="left" style="padding:2px 16px 2px 0;font-weight:normal;color:#666">${escaped(name)}</th><td>${escaped(value)}</td></tr>`

const htmlOf = ({ alert, event }: Notice): string =>
  `<!doctype html><html><body style="font-family:sans-serif;font-size:14px;color:#222">
<h2 style="font-size:18px">${escaped(titleOf(alert, event))}</h2>
<p>${escaped(spoken(alert, alert.message))}</p>
<table style="border-collapse:collapse">${factsOf(alert).map(row).join('')}</table>
<p><code>${escaped(nextStep(alert))}</code></p>
</body></html>`

const onThisMachine = (host: string): boolean => ['localhost', '127.0.0.1', '::1'].includes(host)

/** A password never crosses a network in the clear: outside of this machine it needs TLS, from the start or by STARTTLS. */
const transportOf = async ({ fields }: Destination) => {
  // Loaded with the first mail: most gateways send none.
  const { createTransport } = await import('nodemailer')
  const [host, user, port] = [String(fields['host']), fields['user'], Number(fields['port'] ?? 587)]
  const secure = fields['tls'] === true || port === 465
  return createTransport({
    host,
    port,
    secure,
    requireTLS: !secure && user !== undefined && !onThisMachine(host),
    ignoreTLS: onThisMachine(host) && !secure,
    connectionTimeout: PATIENCE_MS,
    greetingTimeout: PATIENCE_MS,
    socketTimeout: PATIENCE_MS,
    ...(user === undefined ? {} : { auth: { user: String(user), pass: String(fields['password'] ?? '') } }),
  })
}

/** What a code of the mail library means; any other is that nobody answered. */
const meanings: Readonly<Record<string, string>> = {
  EAUTH: 'the server refuses user or password',
  EDNS: 'there is no such host',
  EENVELOPE: 'the sender or a recipient is no address that it takes',
  ETLS: 'no TLS could be agreed on',
}

const failed = (error: unknown): Delivered => {
  const { responseCode, code } = error as Readonly<{ responseCode?: number; code?: string }>
  // 5xx is SMTP's "do not try again"; a wrong password too is refused until somebody changes it.
  const refused = (responseCode !== undefined && responseCode >= 500) || code === 'EAUTH' || code === 'EENVELOPE'
  const meaning = meanings[code ?? ''] ?? (responseCode === undefined ? 'no answer' : undefined)
  const said = [responseCode, meaning, `(${code ?? 'unknown'})`].filter((part) => part !== undefined).join(' ')
  return { state: refused ? 'refused' : 'again', answer: said }
}

/** Addresses, a name before one or not, with commas between. The mail library sends to nothing without a domain. */
const areAddresses = (value: string): boolean =>
  value
    .replace(/"[^"]*"/g, '')
    .split(',')
    .every((one) => /[^\s@<]@[^\s@>]/.test(one))

/** A mail by SMTP, as text and HTML. Its Message-ID is the delivery's, so that a mailbox can tell a repetition. */
export const channel: Channel = {
  fields: {
    host: { kind: 'text', needed: true, expected: 'the name of an SMTP server' },
    port: { kind: 'port', needed: false, expected: 'a port, e.g. 587' },
    tls: { kind: 'flag', needed: false, expected: 'true for TLS from the start; otherwise STARTTLS is used' },
    user: { kind: 'text', needed: false, expected: 'a user of the SMTP server' },
    password: { kind: 'secret', needed: false, expected: 'the password of the user' },
    from: { kind: 'text', needed: true, expected: 'the sender’s address, name@domain', fits: areAddresses },
    to: { kind: 'texts', needed: true, expected: 'an address, name@domain, or a list of them', fits: areAddresses },
  },
  tells: ['opened', 'again', 'test'],
  async deliver(notice, destination) {
    const { from, to } = destination.fields
    const domain = /@([\w.-]+)/.exec(String(from))?.[1] ?? 'weir.invalid'
    const transport = await transportOf(destination)
    try {
      const sent = await transport.sendMail({
        from: String(from),
        to: [to].flat().map(String),
        subject: `[${notice.alert.severity}] ${titleOf(notice.alert, notice.event)}`,
        text: textOf(notice),
        html: htmlOf(notice),
        messageId: `<${notice.id}@${domain}>`,
        date: new Date(notice.at_us / 1000),
        // No out-of-office reply comes to a mail that says this (RFC 3834).
        headers: { 'x-weir-alert': notice.alert.id, 'auto-submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
      })
      return { state: 'delivered', answer: String(sent.response).slice(0, 200) }
    } catch (error) {
      return failed(error)
    } finally {
      transport.close()
    }
  },
}
