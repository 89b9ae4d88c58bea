import { editDistance } from './edit-distance.js'

/** The known names that come nearest to what was typed, best first, at most three, none that is far off. */
export function nearest(typed: string, known: readonly string[]): readonly string[] {
  const limit = Math.max(2, Math.floor(typed.length / 3))
  return known
    .map(name => ({ name, distance: editDistance(typed.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name)
}
