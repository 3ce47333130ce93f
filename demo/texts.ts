/** Prompts that look like work. Everything follows from numbers, so two runs send the same words. */

const subjects = [
  'The customer',
  'Our team',
  'The invoice',
  'A shipment',
  'The agreement',
  'Each order',
  'The warehouse',
  'This service',
  'The refund',
  'An account manager',
] as const
const verbs = [
  'must confirm',
  'usually covers',
  'should never delay',
  'refers to',
  'is checked against',
  'depends on',
  'replaces',
  'records',
  'is reviewed with',
  'limits',
] as const
const objects = [
  'the signed order form',
  'the delivery address',
  'any open claim of the last quarter',
  'the price list in force',
  'the return label',
  'the regional tax rules',
  'the service level of the plan',
  'the original payment method',
  'the audit log',
  'the second approval',
] as const
const tails = [
  'before the end of the month',
  'unless the contract says otherwise',
  'within two working days',
  'as described in the handbook',
  'when the amount exceeds 500 euros',
  'for all business customers',
  'after the identity was verified',
  'in writing',
  'at no additional cost',
  'once the stock is counted',
] as const

const at = <T>(items: readonly T[], n: number): T => items[Math.abs(n) % items.length] as T

/** A sentence; the number chooses its words. */
export const sentence = (n: number): string =>
  `${at(subjects, n)} ${at(verbs, Math.floor(n / 3) + n)} ${at(objects, Math.floor(n / 7) + 2 * n)} ${at(tails, Math.floor(n / 13) + 3 * n)}.`

/** About fourteen tokens a sentence. */
export const passage = (start: number, sentences: number): string =>
  Array.from({ length: sentences }, (_, i) => sentence(start * 31 + i * 17)).join(' ')

/** A document of a knowledge base with its title, about 650 tokens. */
export const document = (n: number): string => `## Article ${n}: ${sentence(n)}\n${passage(n + 5, 44)}`

const questions = [
  'Where is my order?',
  'How do I change the delivery address?',
  'The invoice shows the wrong amount, what now?',
  'Can I cancel before it ships?',
  'My parcel arrived damaged.',
  'How long does a refund take?',
  'Do you ship to Norway?',
  'I forgot which e-mail I used.',
] as const

export const question = (n: number): string => `${at(questions, n)} ${sentence(n + 40)}`

const customers = ['acme', 'globex', 'initech', 'umbrella', 'hooli', 'stark'] as const
export const customer = (n: number): string => at(customers, n)

/** The system prompt of a support assistant that grew for two years, about 1,500 tokens. */
export const handbook = `You are the assistant of a shop. Follow the handbook.\n${passage(1, 105)}`
