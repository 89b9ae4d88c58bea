import { nameSome } from '../../queries/name-some.js'
import { linkTo } from '../address.js'

/** A day of a table. */
export interface Day {
  readonly day: string
  readonly changes: number
  readonly deletes: number
  /** Why it is doubtful, in a word. */
  readonly doubt?: string | undefined
}

const DAY_MS = 86_400_000

/** The day after one. */
export function dayAfter(day: string): string {
  return new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10)
}

const HEIGHT = 96

interface StripOf {
  readonly table: string
  readonly days: readonly Day[]
  /** False where it is still being found out on which days something is missing. */
  readonly isJudged: boolean
  /** What is doubtful and of no day that is known. */
  readonly undated: readonly string[]
}

/** A bar a day: changes, deletes among them; a doubtful day is hatched, and named below. */
export function Strip({ table, days, isJudged, undated }: StripOf) {
  if (days.length === 0) return <p class="note">the table has no change yet</p>
  const most = Math.max(1, ...days.map(({ changes }) => changes))
  const doubtful = days.filter(({ doubt }) => doubt !== undefined)
  const title = `changes of ${table} by day, from ${days[0]?.day} to ${days.at(-1)?.day}, at most ${count(most)} a day; ${doubtful.length} days are doubtful`
  return (
    <>
      <p class="scale">
        <small>highest: {count(most)} changes a day</small>
      </p>
      <svg class="strip" width="100%" height={HEIGHT + 18} aria-labelledby="strip-title">
        <title id="strip-title">{title}</title>
        <defs>
          <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="2" height="5" class="d" />
          </pattern>
        </defs>
        <line class="axis" x1="0" x2="100%" y1={HEIGHT} y2={HEIGHT} />
        {days.map((day, i) => (
          <Bar table={table} day={day} place={i / days.length} width={1 / days.length} most={most} />
        ))}
        {monthsOf(days).map(({ place, name }) => (
          <>
            <line class="axis" x1={percent(place)} x2={percent(place)} y1={HEIGHT} y2={HEIGHT + 6} />
            <text x={percent(place)} dx="3" y={HEIGHT + 14}>
              {name}
            </text>
          </>
        ))}
      </svg>
      <p>
        <small>
          one bar a day from {days[0]?.day} to {days.at(-1)?.day}: changes, with deletes at the foot; hatched: a day on
          which something is missing, altered or not read, or without any object
          {!isJudged ? <span data-pending="">; on which days something is missing is being found out</span> : ''}
          {doubtful.length === 0
            ? isJudged && undated.length === 0 && '; there is none'
            : `: ${nameSome(
                doubtful.map(({ day, doubt }) => `${day} ${doubt}`),
                20,
              )}`}
          {undated.length === 0 ? null : `; on which days it counts is not known: ${undated.join(', ')}`}
        </small>
      </p>
    </>
  )
}

interface BarOf {
  readonly table: string
  readonly day: Day
  /** Of the whole width. */
  readonly place: number
  readonly width: number
  readonly most: number
}

/** In parts of a hundred, so that a narrow window shrinks the bars and not what is written. */
function Bar({ table, day: { day, changes, deletes, doubt }, place, width, most }: BarOf) {
  const height = (n: number) => (n === 0 ? 0 : Math.max(2, (n / most) * HEIGHT))
  const at = { x: percent(place), width: percent(width * 0.94) }
  const told = `${day}: ${count(changes)} changes, ${count(deletes)} deletes${doubt === undefined ? '' : `, ${doubt}`}`
  return (
    <>
      <a
        href={linkTo(['t', table, 'changes'], { from: day, to: dayAfter(day) })}
        aria-label={`changes of ${day}`}
        tabindex={-1}
      >
        <rect class="c" {...at} y={HEIGHT - height(changes)} height={height(changes)}>
          <title>{told}</title>
        </rect>
      </a>
      <rect class="d" {...at} y={HEIGHT - height(deletes)} height={height(deletes)} />
      {doubt === undefined ? null : (
        <>
          {/* over the bar, for the highest would hide it; a click goes through */}
          <rect {...at} y={0} height={HEIGHT} fill="url(#hatch)" opacity="0.7" pointer-events="none" />
          <rect class="doubt" {...at} y={0} height={HEIGHT} pointer-events="none" />
        </>
      )}
    </>
  )
}

/** Names that fit beside one another in the narrowest window. */
const MOST_NAMES = 5

/** Where months begin, some of many; the first day stands for its own. */
function monthsOf(days: readonly Day[]): readonly { readonly place: number; readonly name: string }[] {
  const firsts = days.flatMap(({ day }, i) => (i === 0 || day.endsWith('-01') ? [{ day, place: i / days.length }] : []))
  const every = Math.ceil(firsts.length / MOST_NAMES)
  // a name at the right end would stand outside, and one just after the first across it
  return firsts
    .filter(({ place }, i) => i % every === 0 && place < 0.9 && (i === 0 || place > 0.12))
    .map(({ day, place }) => ({ place, name: day.slice(0, 7) }))
}

function percent(part: number): string {
  return `${Number((part * 100).toFixed(3))}%`
}

function count(n: number): string {
  return n.toLocaleString('en')
}
