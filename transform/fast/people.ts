import { type ActorSource, actorOf, servicePrincipal } from '../change.js'
import { canonicalJson, splitDocuments } from '../json.js'
import type { EventName } from '../stream-record.js'
import type { TableConfiguration } from '../table-configuration.js'
import { AttributeFinder } from './attribute.js'
import { pathBytes } from './bytes.js'
import type { ItemScanner } from './item.js'
import type { ItemRange } from './slots.js'

/** Who made a change, and who wrote what it found, as `change.ts` finds them. All texts hold one byte a character. */
export class People {
  actor: string | null = null
  actorSource: ActorSource = 'unknown'
  lastWriter: string | null = null
  /** The recorded identity in its canonical form. */
  userIdentity: string | null = null
  private readonly finder: AttributeFinder
  private readonly path: readonly Uint8Array[] | undefined
  private identity = { json: '', canonical: null as string | null, principal: null as string | null }

  constructor({ actor }: TableConfiguration, items: ItemScanner) {
    this.finder = new AttributeFinder(items)
    this.path = actor && pathBytes(actor)
  }

  /** Throws a `Refusal` for an identity that is no JSON object. */
  find(
    eventName: EventName,
    json: string | undefined,
    oldImage: ItemRange | undefined,
    newImage: ItemRange | undefined,
  ): void {
    if (json !== undefined && json !== this.identity.json) this.identity = readIdentity(json)
    this.userIdentity = json === undefined ? null : this.identity.canonical
    const isBaseline = eventName === 'BASELINE'
    const principal = json === undefined ? null : this.identity.principal
    this.actor = principal ?? (isBaseline ? null : this.actorIn(newImage))
    this.actorSource = principal !== null ? 'service' : this.actor !== null ? 'new_image' : 'unknown'
    this.lastWriter = this.actorIn(isBaseline ? newImage : oldImage)
  }

  private actorIn(image: ItemRange | undefined): string | null {
    const { finder, path } = this
    if (image === undefined || path === undefined || !finder.find(image, path)) return null
    const actor = finder.content ?? bytesOf(actorOf(finder.value, 'once'))
    return actor === '' ? null : actor
  }
}

/** A text of one byte a character. */
function bytesOf(text: string | null): string | null {
  return text === null ? null : Buffer.from(text).toString('latin1')
}

function readIdentity(json: string) {
  const text = Buffer.from(json, 'latin1').toString()
  const canonical = canonicalJson(splitDocuments(text)[0]?.value, 'userIdentity')
  return { json, canonical: bytesOf(canonical), principal: bytesOf(servicePrincipal(canonical)) }
}
