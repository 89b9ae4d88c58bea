import { nearest } from '../../../config/nearest.js'
import { type ChangeTest, changedAt, madeBy } from '../../../queries/answers/narrow-history.js'
import { readPath } from '../../../queries/attribute-path.js'
import { nameSome } from '../../../queries/name-some.js'
import type { HistoryChange } from '../../../queries/verdict/item-change.js'
import { parseItem } from '../../../transform/attribute-value.js'
import { instantOf } from '../../ask/instant-argument.js'
import { wholeNumber } from '../../ask/whole-number.js'
import { CommandError, EXIT, type Options } from '../../io.js'

/** Flags that show a part of an item's changes. */
export const NARROWING_OPTIONS = [
  ['-n, --last <count>', 'shows the newest changes only, so many'],
  ['--from <moment>', 'shows changes from then on'],
  ['--to <moment>', 'shows changes before then'],
  ['--actor <name>', 'shows what one writer did'],
  ['--attribute <path>', 'shows changes of an attribute, as shipping.city or lines[sku=C].qty'],
  ['--event <kind>', 'shows INSERT, MODIFY, REMOVE or BASELINE only'],
  ['--only-changes', 'leaves out what baselines saw'],
] as const

/** Which of an item's changes are shown. How sure the answer is always rests on all of them. */
export interface Narrowing {
  /** The flags as they were typed; empty where all changes are shown. */
  readonly flags: string
  /** Those that are shown, in their order. */
  readonly of: (changes: readonly HistoryChange[]) => ReadonlySet<HistoryChange>
  /** A name in the flags that these changes do not know, which may be a slip; undefined where they know all. */
  readonly slip: (changes: readonly HistoryChange[]) => string | undefined
}

const EVENTS = ['INSERT', 'MODIFY', 'REMOVE', 'BASELINE']

/** Reads the flags. Throws `CommandError` for one that cannot be. */
export function readNarrowing(options: Options): Narrowing {
  const tests = [
    ...periodTests(options),
    ...textTest(options, 'actor', madeBy),
    ...textTest(options, 'attribute', changedAt),
    ...textTest(options, 'event', eventIs),
    ...(options.onlyChanges === true ? [(change: HistoryChange) => change.event_name !== 'BASELINE'] : []),
  ]
  const last = wholeNumber(options, 'last')
  const flags = typed(options)
  if (flags !== '') checkWhole(options, flags)
  return {
    flags,
    of: changes => {
      const kept = changes.filter(change => tests.every(test => test(change)))
      return new Set(last === undefined ? kept : kept.slice(-last))
    },
    slip: changes => attributeSlip(options, changes) ?? actorSlip(options, changes),
  }
}

function attributeSlip({ attribute }: Options, changes: readonly HistoryChange[]): string | undefined {
  if (typeof attribute !== 'string') return undefined
  const images = changes.flatMap(change => [change.old_image, change.new_image]).filter(image => image !== null)
  const names = new Set(images.flatMap(image => Object.keys(parseItem(image))))
  const [first] = readPath(attribute)
  const name = first !== undefined && 'name' in first ? first.name : attribute
  if (images.length === 0 || names.has(name)) return undefined
  return `no image has an attribute ${JSON.stringify(name)}${orElse(name, [...names])}`
}

function actorSlip({ actor }: Options, changes: readonly HistoryChange[]): string | undefined {
  if (typeof actor !== 'string' || changes.some(madeBy(actor))) return undefined
  const writers = new Set(changes.flatMap(change => (change.actor === null ? [] : [change.actor])))
  return `none of the changes is by ${JSON.stringify(actor)}${orElse(actor, [...writers])}`
}

/** The names that come near, else some of those that there are. */
function orElse(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  if (near.length > 0) return `, did you mean ${near.join(' or ')}?`
  return known.length === 0 ? '' : `, but there is ${nameSome(known, 3)}`
}

function periodTests({ from, to }: Options): readonly ChangeTest[] {
  const us = (text: Options[string], name: string) => (typeof text === 'string' ? instantOf(text, name).us : undefined)
  const [fromUs, toUs] = [us(from, '--from'), us(to, '--to')]
  if (fromUs !== undefined && toUs !== undefined && fromUs >= toUs)
    throw new CommandError(`--from ${from} is not before --to ${to}`)
  return [
    ...(fromUs === undefined ? [] : [(change: HistoryChange) => change.event_time_us >= fromUs]),
    ...(toUs === undefined ? [] : [(change: HistoryChange) => change.event_time_us < toUs]),
  ]
}

function textTest(options: Options, name: string, test: (text: string) => ChangeTest): readonly ChangeTest[] {
  const text = options[name]
  return typeof text === 'string' ? [test(text)] : []
}

function eventIs(kind: string): ChangeTest {
  const event = kind.toUpperCase()
  if (!EVENTS.includes(event))
    throw new CommandError(`--event is ${JSON.stringify(kind)}, expected ${EVENTS.join(', ')}`)
  return change => change.event_name === event
}

function typed(options: Options): string {
  const names = ['last', 'from', 'to', 'actor', 'attribute', 'event']
  const flags = names.flatMap(name => (options[name] === undefined ? [] : [`--${name} ${options[name]}`]))
  return [...flags, ...(options.onlyChanges === true ? ['--only-changes'] : [])].join(' ')
}

/** A receipt, and a bundle, are of an item's whole history, which alone says whether something is missing. */
function checkWhole(options: Options, flags: string): void {
  for (const flag of ['receipt', 'evidence'])
    if (options[flag] !== undefined)
      throw new CommandError(
        `--${flag} is of the whole history, not of what ${flags} shows`,
        EXIT.usage,
        `leave out one or the other; itemtrail query changes-between has receipts of a period`,
      )
}
