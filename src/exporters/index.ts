// Written by `npm run fix`: one line for each file.
import { exporter as focus } from './focus.ts'

export const exporters = {
  focus,
}
