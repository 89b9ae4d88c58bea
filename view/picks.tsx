import { linkTo } from './address.js'
import { here } from './layout.js'
import type { PageAsking } from './screen.js'

/** Picks the change of its row: two that are picked can be compared. The script does it. */
export function PickButton({ what }: { readonly what: string }) {
  return (
    <button type="button" class="script noprint pick" data-pick-row="" aria-pressed="false" title="pick to compare (x)">
      <span class="skip">{`pick ${what} to compare`}</span>
    </button>
  )
}

/** Compares the two that are picked, and says what keeps it from it. */
export function CompareButton() {
  return (
    <p class="script noprint picks">
      <button type="button" data-compare="" disabled>
        compare the two picked
      </button>{' '}
      <small role="status" data-picks=""></small>
    </p>
  )
}

/** In place of the difference of a change that the address names and the list does not have: no other is shown. */
export function NotListed({ table, row }: { readonly table: string; readonly row: string }) {
  return (
    <p class="note">
      {`change ${row} is not on this page: others came since, or the filters leave it out; `}
      <a href={linkTo(['t', table, 'e', row])}>what it did</a>
    </p>
  )
}

/** The other ways of showing a change: raw or plain, what changed or the whole item. */
export function Ways({ asking, isRawOnly }: { readonly asking: PageAsking; readonly isRawOnly?: boolean }) {
  const isWhole = asking.search.w === 'all'
  return (
    <p class="quick noprint">
      <a href={here(asking, { raw: asking.raw ? undefined : 'yes' })} data-raw="">
        {asking.raw ? 'plain' : 'raw DynamoDB JSON'}
      </a>
      {isRawOnly || asking.raw ? null : (
        <a href={here(asking, { w: isWhole ? undefined : 'all' })} data-w="">
          {isWhole ? 'only what changed' : 'the whole item before and after'}
        </a>
      )}
    </p>
  )
}
