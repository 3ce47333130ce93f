import type { AlertStore } from '../../core/store.ts'
import { type Detection, loadDetection, openDetection, saveDetection } from '../../playbook/allocate/detect/detect.ts'

/** What the watch knows: the detectors' state, the last segment that it has seen, and the last judgement that it has heard. */
export type Memory = { detection: Detection; position: number; judged_us: number }

type Saved = Readonly<{ judged_us: number; detection: string }>

/** The memory as the store has it; a new one where there is none, or where it is of another version. */
export const loadMemory = async (store: AlertStore): Promise<Memory> => {
  const watched = await store.watched.load()
  if (!watched) return { detection: openDetection(), position: 0, judged_us: 0 }
  try {
    const { judged_us, detection } = JSON.parse(watched.state) as Saved
    return { detection: loadDetection(detection), position: watched.position, judged_us }
  } catch {
    return { detection: openDetection(), position: watched.position, judged_us: 0 }
  }
}

export const saveMemory = (store: AlertStore, { detection, position, judged_us }: Memory): Promise<void> => {
  const saved: Saved = { judged_us, detection: saveDetection(detection) }
  return store.watched.save({ state: JSON.stringify(saved), position })
}
