import { here } from './layout.js'
import type { PageAsking } from './screen.js'

interface AppliedOf {
  /** Names in the address, each with the value as people read it. */
  readonly of: readonly (readonly [name: string, shown: string])[]
  readonly asking: PageAsking
}

/** What is narrowed by, each with the link that takes it back. */
export function Applied({ of, asking }: AppliedOf) {
  if (of.length === 0) return null
  return (
    <ul class="applied noprint" aria-label="narrowed by">
      {of.map(([name, shown]) => (
        <li>
          <a href={here(asking, { [name]: undefined, after: undefined, row: undefined })}>
            {name} {shown} <span aria-hidden="true">×</span>
            <span class="skip">take back</span>
          </a>
        </li>
      ))}
    </ul>
  )
}
