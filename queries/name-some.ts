/** Names for people: the first `most` of them, and how many more there are. */
export function nameSome(names: readonly string[], most: number): string {
  const more = names.length - most
  return `${names.slice(0, most).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
