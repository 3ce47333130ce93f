import { type FoundKind, foundKinds } from '../../core/alert.ts'
import { DAY_US, MINUTE_US } from '../../core/date.ts'
import { parseUsd } from '../../core/money.ts'
import type { AlertSettings } from '../../core/settings.ts'
import { type DetectSettings, defaultSettings } from '../../playbook/allocate/detect/settings.ts'

const mapped = <K extends string, From, To>(record: Readonly<Partial<Record<K, From>>>, to: (value: From) => To) =>
  Object.fromEntries(Object.entries(record).map(([kind, value]) => [kind, to(value as From)])) as Partial<Record<K, To>>

const isFound = (kind: string): kind is FoundKind => (foundKinds as readonly string[]).includes(kind)

/** The detectors' settings: their defaults, and what weir.yaml says over them. */
export const detectSettings = (alerts: AlertSettings): DetectSettings => {
  const base = defaultSettings
  const { session_multiple, session_ceiling, storm_repeats, learning_days, stale_after_days } = alerts
  return {
    ...base,
    zone: alerts.zone,
    off: alerts.off.filter(isFound),
    floors: { ...base.floors, ...mapped(alerts.floors, parseUsd) },
    cooldowns_us: { ...base.cooldowns_us, ...mapped(alerts.cooldowns, (minutes: number) => minutes * MINUTE_US) },
    session_multiple: session_multiple ?? base.session_multiple,
    session_ceiling: session_ceiling === undefined ? base.session_ceiling : parseUsd(session_ceiling),
    storm_repeats: storm_repeats ?? base.storm_repeats,
    learning_us: learning_days === undefined ? base.learning_us : learning_days * DAY_US,
    stale_after_us: stale_after_days === undefined ? base.stale_after_us : stale_after_days * DAY_US,
  }
}
