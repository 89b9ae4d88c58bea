import { AddressError, linkTo, type Search } from './address.js'
import type { PageAsking } from './screen.js'
import { isOurs } from './screens/as-of.js'
import { itemIn, itemLink } from './tables.js'

/** A form cannot put what is typed into a path; a key may look there like something else. */
export async function goTo(asking: PageAsking): Promise<Response> {
  return new Response(null, { status: 303, headers: { location: await linkOf(asking) } })
}

async function linkOf(asking: PageAsking): Promise<string> {
  const { table = '', key, at, tz } = asking.search
  if (at !== undefined) return linkTo(['t', table, 'as-of', at.trim()], { ...narrowedBy(asking.search), tz })
  const found = asking.archive.findTable(table)
  if (key === undefined || found === undefined) return linkTo(['t', table, 'i', key ?? ''], { tz })
  return itemLink(found.table, await itemIn(asking, found, key), { tz })
}

function narrowedBy({ attribute, value }: Search): Search {
  if (attribute === undefined || value === undefined) return {}
  if (!isOurs(attribute)) return { [attribute]: value }
  throw new AddressError(`attribute ${JSON.stringify(attribute)} cannot be looked for here: it is a word of the page`)
}
