import { tryParseObject } from '../transform/json.js'
import type { PathSegment } from './difference.js'
import { quoted } from './engines/literal.js'
import { columnsReplacing } from './replaced-columns.js'

/**
 * A path as `history` and `diff` print it: `shipping.city`, `lines[sku=C].qty`; what a dot or bracket would make
 * unclear is quoted.
 */
export function writePath(path: readonly PathSegment[]): string {
  const parts = path.map((segment, i) => {
    if ('element' in segment)
      return `[${PLAIN_ELEMENT.test(segment.element) ? segment.element : JSON.stringify(segment.element)}]`
    const name = PLAIN_NAME.test(segment.name) ? segment.name : JSON.stringify(segment.name)
    return i === 0 ? name : `.${name}`
  })
  return parts.join('')
}

const PLAIN_NAME = /^[\p{L}\p{M}\p{N}_$@-]+$/u
const PLAIN_ELEMENT = /^[^\]"\n][^\]\n]*$/

/** Its inverse. What is no path is the name of an attribute, whatever is in it. */
export function readPath(text: string): readonly PathSegment[] {
  const segments: PathSegment[] = []
  for (let rest = text; rest !== ''; ) {
    const found = (segments.length === 0 ? FIRST : NEXT).exec(rest)
    if (found === null) return [{ name: text }]
    const { plain, json, element, quotedElement } = found.groups as Readonly<Record<string, string | undefined>>
    const name = json === undefined ? plain : readText(json)
    const place = quotedElement === undefined ? element : readText(quotedElement)
    if (name !== undefined) segments.push({ name })
    else if (place !== undefined) segments.push({ element: place })
    else return [{ name: text }]
    rest = rest.slice(found[0].length)
  }
  return segments
}

const JSON_TEXT = String.raw`"(?:[^"\\]|\\.)*"`
const NAME = String.raw`(?:(?<plain>[\p{L}\p{M}\p{N}_$@-]+)|(?<json>${JSON_TEXT}))(?=$|[.[])`
const FIRST = new RegExp(`^${NAME}`, 'u')
const NEXT = new RegExp(
  String.raw`^(?:\.${NAME}|\[(?:(?<quotedElement>${JSON_TEXT})|(?<element>[^\]"\n][^\]\n]*))\](?=$|[.[]))`,
  'u',
)

/** True of the name of an attribute, which needs no look into images. */
export function isTopLevel(text: string): boolean {
  const [first, ...deeper] = readPath(text)
  return deeper.length === 0 && first !== undefined && 'name' in first && first.name === text
}

/**
 * A table's rows, in place of the table, with images that hold one attribute only: what was at the path, under the
 * text of the path as its name. So a question about an attribute is one about a path. An attribute that has the whole
 * text for its name goes before what lies at the path.
 */
export function rowsAtPath(changes: string, text: string): string {
  const image = (side: 'old' | 'new', value: string) =>
    `case when found.${side}_image is not null then coalesce(${quoted(`{${JSON.stringify(text)}:`)} || ${value} || '}', '{}') end`
  const columns = columnsReplacing('found', {
    changed: `case when found.changed is not null and value_before is distinct from value_after then array[${quoted(text)}] end`,
    old_image: image('old', 'value_before'),
    new_image: image('new', 'value_after'),
  })
  return `(
    -- images hold one attribute only, what was at the path ${JSON.stringify(text)}
    select
      ${columns}
    from (
      select
        delivered.*,
        json_format(${valueAtPath('delivered.old_image', text)}) as value_before,
        json_format(${valueAtPath('delivered.new_image', text)}) as value_after
      from ${changes} as delivered
    ) as found
  )`
}

/** The text that a JSON string is; undefined for what is none. */
function readText(json: string): string | undefined {
  const text = tryParseObject(`{"text":${json}}`)?.text
  return typeof text === 'string' ? text : undefined
}

/** The value at a path of an image, as SQL: DynamoDB JSON. */
export function valueAtPath(image: string, text: string): string {
  const whole = member(`json_parse(${image})`, text)
  return isTopLevel(text) ? whole : `coalesce(${whole}, ${walk(image, readPath(text))})`
}

function walk(image: string, path: readonly PathSegment[]): string {
  return path.reduce(
    (value, segment, depth) =>
      'element' in segment
        ? elementOf(value, segment.element)
        : member(depth === 0 ? value : member(value, 'M'), segment.name),
    `json_parse(${image})`,
  )
}

function member(json: string, name: string): string {
  return `element_at(cast(${json} as map(varchar, json)), ${quoted(name)})`
}

/** By its place in the list, or the first whose attribute has the value: `sku=C`. */
function elementOf(list: string, element: string): string {
  if (/^\d{1,9}$/.test(element)) return `json_extract(${list}, '$.L[${element}]')`
  const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(element) ?? []
  const mark = member(member('element', 'M'), name)
  const text = `coalesce(json_extract_scalar(${mark}, '$.S'), json_extract_scalar(${mark}, '$.N'))`
  return `element_at(filter(cast(json_extract(${list}, '$.L') as json array), element -> ${text} = ${quoted(value)}), 1)`
}
