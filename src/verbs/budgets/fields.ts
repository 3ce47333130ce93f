import { name as named } from '../asking/fields.ts'

export const name = named('the name of a budget').describe('Its name')
