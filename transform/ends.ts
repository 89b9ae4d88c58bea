/**
 * The least and the greatest of some numbers, however many there are: a call takes some 120,000 arguments. Of none they
 * are what `Math.min()` and `Math.max()` are.
 */
export function endsOf(numbers: readonly number[]): readonly [least: number, greatest: number] {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const number of numbers) {
    least = Math.min(least, number)
    greatest = Math.max(greatest, number)
  }
  return [least, greatest]
}
