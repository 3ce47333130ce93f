import { name } from '../asking/fields.ts'

export const id = name('the id of an alert').describe('The alert’s id, or the beginning of it')
