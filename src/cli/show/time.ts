export { clock, day, moment, parseTime, parseWindow } from '../../verbs/asking/time.ts'
