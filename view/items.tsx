import { hash } from 'node:crypto'
import type { Child } from 'hono/jsx'
import { showPath, showValue } from '../cli/show/item.js'
import { type Difference, differencesOf } from '../queries/difference.js'
import { nameSome } from '../queries/name-some.js'
import { type FoldedPart, foldParts, textDifference } from '../queries/text-difference.js'
import type { HistoryChange } from '../queries/verdict/item-change.js'
import { type AttributeValue, type Item, parseItem } from '../transform/attribute-value.js'
import { readErased, readSealed } from '../transform/sealed-field.js'
import { linkTo } from './address.js'

/** Texts of more are folded to the words that differ, and shown whole when somebody opens them. */
const LONG = 240
const AROUND = 60
/** Of one stretch that went or came, what is shown before it is opened. */
const MOST_SHOWN = 2000
const FOLDED_VALUE = 2000

/** How states are shown. */
export interface ShowState {
  /** In DynamoDB JSON. */
  readonly raw: boolean
  /** True where a change shows the whole item before and after it. @default false */
  readonly whole?: boolean | undefined
  /** Top-level attributes that are marked, because another state has them otherwise. @default - none */
  readonly differs?: ReadonlySet<string> | undefined
  /** Where the bytes of a binary attribute can be had; undefined where they cannot. */
  readonly bytesLink?: ((path: string) => string) | undefined
}

const MOST_NAMES = 6

/** What a change changed: some of two hundred attributes, the change itself has all. */
export function changedNames(names: readonly string[] | null): Child {
  return names === null ? <span class="dim">not known</span> : nameSome(names, MOST_NAMES)
}

const MARKS = {
  added: ['+', 'came'],
  removed: ['-', 'went'],
  changed: ['~', 'changed'],
  moved: ['>', 'moved'],
} as const

/** Where two states differ, a row for each place. */
export function DifferenceTable({ differences, caption }: DifferencesOf) {
  if (differences.length === 0) return <p>nothing differs</p>
  return (
    <table class="diff">
      <caption>{caption}</caption>
      <colgroup>
        <col class="mark" />
        <col class="name" />
        <col />
      </colgroup>
      <thead>
        <tr>
          <th scope="col" class="mark">
            <span aria-hidden="true">±</span>
            <span class="skip">how</span>
          </th>
          <th scope="col">attribute</th>
          <th scope="col">before, after</th>
        </tr>
      </thead>
      <tbody>
        {differences.map(difference => (
          <tr>
            <td class="mark">
              <span aria-label={MARKS[difference.kind][1]} role="img">
                {MARKS[difference.kind][0]}
              </span>
            </td>
            <th scope="row">{showPath(difference.path)}</th>
            <td>
              <Change difference={difference} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

interface DifferencesOf {
  readonly differences: readonly Difference[]
  readonly caption: string
}

function Change({ difference: { before, after } }: { readonly difference: Difference }) {
  if (before === undefined && after === undefined) return <span class="dim">another place in the list</span>
  if (before !== undefined && after !== undefined && 'S' in before && 'S' in after)
    if (Math.max(before.S.length, after.S.length) > LONG) return <TextChange before={before.S} after={after.S} />
  return (
    <>
      {before === undefined ? null : (
        <del>
          <ValueText value={before} />
        </del>
      )}{' '}
      {after === undefined ? null : (
        <ins>
          <ValueText value={after} />
        </ins>
      )}
    </>
  )
}

/** Two long texts: the words that differ among what stands beside them, and all of it in a fold. */
function TextChange({ before, after }: { readonly before: string; readonly after: string }) {
  const parts = textDifference(before, after)
  const size = `${before.length.toLocaleString('en')} → ${after.length.toLocaleString('en')} characters`
  return (
    <>
      <span class="dim">{size}</span>
      <pre>{foldParts(parts, AROUND).map(Part)}</pre>
    </>
  )
}

function Part(part: FoldedPart): Child {
  if (part.kind === 'left')
    return <span class="left">{` … ${part.characters.toLocaleString('en')} characters the same … `}</span>
  const { kind, text } = part
  const shown =
    text.length > MOST_SHOWN
      ? `${text.slice(0, MOST_SHOWN)}… ${(text.length - MOST_SHOWN).toLocaleString('en')} more`
      : text
  if (kind === 'same') return <span>{text}</span>
  return kind === 'removed' ? <del>{shown}</del> : <ins>{shown}</ins>
}

/** A value as people read it; a long one in a fold. */
function ValueText({ value }: { readonly value: AttributeValue }) {
  const text = showValue(value)
  if (text.length <= FOLDED_VALUE) return <span>{partsOf(value)}</span>
  return (
    <details>
      <summary>
        {text.slice(0, 80)}… {text.length.toLocaleString('en')} characters
      </summary>
      <pre>{text}</pre>
    </details>
  )
}

/** The same text, in which what was erased leads to its certificate. */
function partsOf(value: AttributeValue): Child {
  const erased = readErased(value)
  if (erased !== undefined)
    return (
      <a class="chip" href={linkTo(['certificate', erased.certificate])}>
        {showValue(value)}
      </a>
    )
  if (!mentionsErased(value)) return showValue(value)
  const inner =
    'L' in value
      ? value.L.map(partsOf)
      : Object.entries((value as { M: Item }).M).map(([name, one]) => (
          <>
            {showPath([{ name }])}: {partsOf(one)}
          </>
        ))
  const [open, close] = 'L' in value ? ['[', ']'] : ['{', '}']
  return (
    <>
      {open}
      {inner.map((part, i) => (
        <>
          {i === 0 ? '' : ', '}
          {part}
        </>
      ))}
      {close}
    </>
  )
}

function mentionsErased(value: AttributeValue): boolean {
  if (readErased(value) !== undefined) return true
  if ('L' in value) return value.L.some(mentionsErased)
  return 'M' in value && readSealed(value) === undefined && Object.values(value.M).some(mentionsErased)
}

/** A state, an attribute a row, or in DynamoDB JSON. */
export function StateTable({ item, caption, show }: StateOf) {
  if (show.raw)
    return (
      <figure>
        <figcaption class="dim">{caption}</figcaption>
        <pre>{JSON.stringify(item, null, 2)}</pre>
      </figure>
    )
  return (
    <table class="diff">
      <caption>{caption}</caption>
      <colgroup>
        <col class="name" />
        <col />
      </colgroup>
      <thead>
        <tr>
          <th scope="col">attribute</th>
          <th scope="col">value</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(item).map(([name, value]) => (
          <tr>
            <th scope="row">
              {show.differs?.has(name) ? (
                <>
                  <span aria-label="differs" role="img" class="mono">
                    ~
                  </span>{' '}
                </>
              ) : null}
              {showPath([{ name }])}
            </th>
            <td>
              <Value value={value} path={showPath([{ name }])} show={show} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

interface StateOf {
  readonly item: Item
  readonly caption: string
  readonly show: ShowState
}

function Value({
  value,
  path,
  show,
}: {
  readonly value: AttributeValue
  readonly path: string
  readonly show: ShowState
}) {
  if (!('B' in value) || show.bytesLink === undefined) return <ValueText value={value} />
  const bytes = Buffer.from(value.B, 'base64')
  return (
    <span>
      {bytes.length.toLocaleString('en')} bytes, SHA-256 <code>{hash('sha256', bytes)}</code>{' '}
      <a class="noprint" href={show.bytesLink(path)} download="">
        download
      </a>
    </span>
  )
}

/** What a change did, as far as the stream kept images of it. */
export function ChangeBody({ change, show }: { readonly change: HistoryChange; readonly show: ShowState }) {
  const [before, after] = [itemOfImage(change.old_image), itemOfImage(change.new_image)]
  if (change.event_name === 'BASELINE' && after !== null)
    return <StateTable item={after} caption="as the baseline found it" show={show} />
  const missing = missingImages(change)
  const view = change.view_type === null ? '' : ` (view type ${change.view_type})`
  if (missing.length > 0 || show.raw || show.whole || change.altered.some(({ unreadable }) => unreadable !== null))
    return (
      <>
        {missing.map(side => (
          <p class="note">{`the stream kept no image ${side} the change${view}`}</p>
        ))}
        {before === null ? null : <StateTable item={before} caption="before" show={show} />}
        {after === null ? null : <StateTable item={after} caption="after" show={show} />}
      </>
    )
  return <DifferenceTable differences={differencesOf(before, after)} caption="what the change did" />
}

/** Of an INSERT the old image is absent and not missing, and so is the new one of a REMOVE. */
function missingImages({ event_name: name, old_image: before, new_image: after }: HistoryChange): readonly string[] {
  return [
    ...(before === null && (name === 'MODIFY' || name === 'REMOVE') ? ['before'] : []),
    ...(after === null && name !== 'REMOVE' ? ['after'] : []),
  ]
}

/** An image of a row; null where there is none. */
export function itemOfImage(text: string | null): Item | null {
  return text === null ? null : parseItem(text)
}
