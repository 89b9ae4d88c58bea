import { parseItem } from '../transform/attribute-value.js'

/**
 * Names that applications give to who made a change, as they stand without case and underscores; the likeliest first.
 */
const ACTOR_NAMES = [
  ...['updatedby', 'modifiedby', 'changedby', 'lastupdatedby', 'lastmodifiedby', 'lastchangedby'],
  ...['actor', 'editor', 'user', 'userid', 'username', 'principal'],
]

/** How likely an attribute names who made a change, 0 being the likeliest; -1 where it does not sound like it. */
export function actorRank(attribute: string): number {
  return ACTOR_NAMES.indexOf(attribute.toLowerCase().replaceAll(/[^a-z]/g, ''))
}

/** Looks in the rows of a table that has no actor configured for an attribute that may name one. */
export class LikelyActor {
  private rows = 0
  private best: { readonly attribute: string; readonly rank: number } | undefined

  /** False when it has seen enough. */
  get isLooking(): boolean {
    return this.rows < ENOUGH
  }

  /** Reads row lines. */
  look(lines: string): void {
    for (const line of lines.split('\n')) {
      if (!this.isLooking || line === '') return
      this.rows++
      const { new_image: image } = JSON.parse(line) as { readonly new_image?: string }
      for (const [attribute, value] of Object.entries(parseItem(image ?? '{}')))
        if ('S' in value || 'N' in value) this.consider(attribute)
    }
  }

  /** The attribute that is likeliest to name who made a change; undefined where none looks like it. */
  get attribute(): string | undefined {
    return this.best?.attribute
  }

  private consider(attribute: string): void {
    const rank = actorRank(attribute)
    if (rank !== -1 && (this.best === undefined || rank < this.best.rank)) this.best = { attribute, rank }
  }
}

const ENOUGH = 300
