import { picodollars } from '../../../core/money.ts'
import type { Change } from './finding.ts'
import type { Cell } from './watched.ts'

/** Spend of a time: how many calls, and quantity and cost by model and meter. */
export type Mix = Readonly<{ calls: number; cells: readonly Cell[] }>
export type CellChange = Change & Readonly<{ key: string }>
export type Decomposition = Change & Readonly<{ cells: readonly CellChange[] }>

/** Counts may be averages: they are compared to the millionth. */
const fine = (count: number): bigint => BigInt(Math.round(count * 1e6))

/**
 * Why spend changed: more calls at the old cost a call (volume), other models or meters in a call at old prices (mix),
 * other prices for the same (price). Something that had no price before is mix. For every cell and in total the three sum
 * to the change, to the picodollar: what division leaves over is mix.
 */
export const decompose = (before: Mix, after: Mix): Decomposition => {
  const old = new Map(before.cells.map((cell) => [cell.key, cell]))
  const now = new Map(after.cells.map((cell) => [cell.key, cell]))
  const calls = fine(before.calls)
  const more = fine(after.calls) - calls
  const cells = [...new Set([...old.keys(), ...now.keys()])].map((key): CellChange => {
    const [was, is] = [old.get(key), now.get(key)]
    const [paid, pays] = [was?.cost ?? 0n, is?.cost ?? 0n]
    const quantity = fine(was?.quantity ?? 0)
    const volume = calls === 0n ? 0n : (paid * more) / calls
    const price = quantity === 0n || !is ? 0n : pays - (paid * fine(is.quantity)) / quantity
    return {
      key,
      volume: picodollars(volume),
      price: picodollars(price),
      mix: picodollars(pays - paid - volume - price),
    }
  })
  const total = (part: keyof Change) => picodollars(cells.reduce((sum, cell) => sum + cell[part], 0n))
  return { volume: total('volume'), mix: total('mix'), price: total('price'), cells }
}
