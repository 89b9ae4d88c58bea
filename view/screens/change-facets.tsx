import { TIME_TO_LIVE } from '../../queries/bind.js'
import type { ChangeFacets, FacetValue } from '../../queries/list-changes.js'
import { AddressError } from '../address.js'
import { here } from '../layout.js'
import type { PageAsking } from '../screen.js'

/** The days of a week, as `weekHour` counts them. */
export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const

/** An hour of the week in an address, `Mon-14`. */
export function weekHourIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, day, hour] = /^([A-Z][a-z]{2})-(\d{2})$/.exec(text) ?? []
  const place = DAYS.findIndex(name => name.slice(0, 3) === day)
  if (place >= 0 && Number(hour) < 24) return place * 24 + Number(hour)
  throw new AddressError(`hour is ${JSON.stringify(text)}, expected a weekday and an hour of UTC such as Mon-14`)
}

function weekHourText(hour: number): string {
  return `${(DAYS[Math.floor(hour / 24)] as string).slice(0, 3)}-${String(hour % 24).padStart(2, '0')}`
}

interface FacetsOf {
  readonly facets: ChangeFacets
  readonly asking: PageAsking
}

const MOST_SHOWN = 10

/** The few values that nearly every list is narrowed by, on one line. */
export function QuickFacets({ facets, asking }: FacetsOf) {
  return (
    <section class="noprint quick" aria-label="narrow by a value">
      <Quick name="change" param="event" values={facets.event} asking={asking} />
      <Quick name="actor is" param="kind" values={facets.kind} asking={asking} />
    </section>
  )
}

/** What the listed changes can be narrowed by, each value with its count: a click narrows. */
export function ChangeFacetLinks({ facets, asking }: FacetsOf) {
  const printed = facets.actor.map(({ value, changes }) => ({
    value: value === TIME_TO_LIVE.recorded ? TIME_TO_LIVE.printed : value,
    changes,
  }))
  return (
    <>
      <div class="facets">
        <Facet name="actor" param="actor" values={printed} asking={asking} />
        <Facet name="attribute" param="attr" values={facets.attribute} asking={asking} />
        <DayFacet values={facets.day} asking={asking} />
      </div>
      <Hours values={facets.hour} asking={asking} />
    </>
  )
}

interface FacetOf {
  readonly name: string
  readonly param: string
  readonly values: readonly FacetValue[]
  readonly asking: PageAsking
}

/** A few values on one line. */
function Quick({ name, param, values, asking }: FacetOf) {
  return (
    <p class="quick">
      <span>{name}</span>
      {values.map(({ value, changes }) => (
        <span>
          <a href={here(asking, { [param]: value ?? undefined, after: undefined, row: undefined })}>{value}</a>{' '}
          {changes.toLocaleString('en')}
        </span>
      ))}
    </p>
  )
}

function Facet({
  name,
  param,
  values,
  asking,
}: {
  readonly name: string
  readonly param: string
  readonly values: readonly FacetValue[]
  readonly asking: PageAsking
}) {
  const item = ({ value, changes }: FacetValue) => (
    <li>
      {value === null ? (
        <span class="dim">none</span>
      ) : (
        <a href={here(asking, { [param]: value, after: undefined, row: undefined })}>{value}</a>
      )}
      <span class="n">{changes.toLocaleString('en')}</span>
    </li>
  )
  const rest = values.slice(MOST_SHOWN)
  return (
    <div>
      <h2>{name}</h2>
      <ul>{values.slice(0, MOST_SHOWN).map(item)}</ul>
      {rest.length === 0 ? null : (
        <details>
          <summary>{rest.length} more</summary>
          <ul>{rest.map(item)}</ul>
        </details>
      )}
    </div>
  )
}

function DayFacet({ values, asking }: { readonly values: readonly FacetValue[]; readonly asking: PageAsking }) {
  const item = ({ value, changes }: FacetValue) => {
    const day = value as string
    const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10)
    return (
      <li>
        <a href={here(asking, { from: day, to: next, after: undefined, row: undefined })}>{day}</a>
        <span class="n">{changes.toLocaleString('en')}</span>
      </li>
    )
  }
  const newest = [...values].reverse()
  return (
    <div>
      <h2>day (UTC)</h2>
      <ul>{newest.slice(0, MOST_SHOWN).map(item)}</ul>
      {newest.length <= MOST_SHOWN ? null : (
        <details>
          <summary>{newest.length - MOST_SHOWN} more</summary>
          <ul>{newest.slice(MOST_SHOWN).map(item)}</ul>
        </details>
      )}
    </div>
  )
}

/** When in the week changes are made. */
function Hours({ values, asking }: { readonly values: readonly FacetValue[]; readonly asking: PageAsking }) {
  const counts = new Map(values.map(({ value, changes }) => [Number(value), changes]))
  const hours = Array.from({ length: 24 }, (_, hour) => hour)
  return (
    <details>
      <summary>hour by weekday (UTC)</summary>
      <section class="scroll" aria-label="changes by hour and weekday" tabindex={0}>
        <table class="hours">
          <caption>changes by weekday and hour, UTC</caption>
          <thead>
            <tr>
              <th scope="col">day</th>
              {hours.map(hour => (
                <th scope="col">{String(hour).padStart(2, '0')}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {DAYS.map((name, day) => (
              <tr>
                <th scope="row">{name.slice(0, 3)}</th>
                {hours.map(hour => {
                  const n = counts.get(day * 24 + hour) ?? 0
                  return (
                    <td>
                      {n === 0 ? (
                        ''
                      ) : (
                        <a
                          href={here(asking, { hour: weekHourText(day * 24 + hour), after: undefined, row: undefined })}
                        >
                          {n}
                        </a>
                      )}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  )
}
