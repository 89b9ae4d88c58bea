import { SAVED_QUERIES } from '../queries/catalog.js'
import { askedParameters, hasOnly } from '../queries/question-usage.js'

/** What people of other programs type, and what does it here. */
const COMMANDS_MEANT: Readonly<Record<string, string>> = {
  log: 'history',
  get: 'as-of',
  cat: 'as-of',
  ls: 'items',
  list: 'items',
  keys: 'items',
  search: 'find',
  grep: 'find',
  check: 'verify',
  undo: 'restore',
  rollback: 'restore',
  revert: 'restore',
  sign: 'seal',
  proof: 'prove',
  serve: 'view',
  man: 'manual',
  import: 'ingest',
  load: 'ingest',
  follow: 'tail',
  erase: 'subject erase',
  select: 'sql',
}

/** What does what an option would that a command has not. */
const OPTIONS_MEANT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  history: {
    '--limit': '-n 5 shows the newest five',
    '--max-count': '-n 5 shows the newest five',
    '--at': 'itemtrail as-of TABLE KEY INSTANT tells what it was then',
    '--as-of': 'itemtrail as-of TABLE KEY INSTANT tells what it was then',
    '--since': '--from shows changes from a moment on',
    '--until': '--to shows changes before a moment',
    '--author': '--actor shows what one writer did',
    '--param': '--from, --to, --actor, --attribute and --event narrow a history',
  },
  'as-of': { '--at': 'the instant is typed last: itemtrail as-of TABLE KEY INSTANT' },
  items: {
    '--last': '--limit 5 lists the first five by their keys',
    '-n': '--limit 5 lists the first five by their keys',
    '--prefix': 'the beginning of a key is typed after the table: itemtrail items TABLE PREFIX',
    '--from': '--at asks of a moment; itemtrail query changes-between has what changed in a period',
  },
  find: {
    '--last': '--limit 5 tells of five items',
    '-n': '--limit 5 tells of five items',
    '--path': '--attribute narrows by a path',
    '--value': 'the value is typed after the table: itemtrail find TABLE VALUE',
  },
  diff: { '--at': '--from and --to are the two moments', '--as-of': '--from and --to are the two moments' },
  show: { '--event': 'the id is typed itself: itemtrail show EVENT_ID' },
  sql: {
    '--file': '-f FILE reads the statement from a file',
    '--param': 'a value is written into the statement, in single quotes',
  },
}

/** What was meant by a command that is none: a word of another program, a question's name; undefined for others. */
export function commandMeant(typed: string): string | undefined {
  if (SAVED_QUERIES.has(typed)) return `did you mean: itemtrail query ${typed} TABLE`
  const meant = Object.hasOwn(COMMANDS_MEANT, typed) ? COMMANDS_MEANT[typed] : undefined
  return meant === undefined ? undefined : `did you mean ${meant}?`
}

/** What to do in place of an option that a command has not; undefined where nobody knows what was meant. */
export function optionMeant([command = '', ...args]: readonly string[], flag: string): string | undefined {
  return command === 'query' ? parameterMeant(args, flag) : OPTIONS_MEANT[command]?.[flag]
}

/** A question's parameters are no options. */
function parameterMeant(args: readonly string[], flag: string): string | undefined {
  const saved = args.map(arg => SAVED_QUERIES.get(arg)).find(query => query !== undefined)
  const name = flag.replace(/^--?/, '').replaceAll('-', '_')
  if (saved === undefined || !SAVED_PARAMETERS.has(name)) return undefined
  const names = askedParameters(saved).map(known => known.name)
  return names.includes(name) ? `a parameter is typed as ${name}=...` : hasOnly(saved)
}

const SAVED_PARAMETERS: ReadonlySet<string> = new Set(
  [...SAVED_QUERIES.values()].flatMap(({ parameters }) => parameters.map(({ name }) => name)),
)

/** What to do about too many arguments; undefined where nobody knows what was meant. */
export function argumentsMeant([command = '']: readonly string[]): string | undefined {
  if (command === 'sql') return 'a statement stands in quotes: itemtrail sql "select ..."'
  const spaced = ['history', 'diff', 'find', 'items'].includes(command)
  return spaced ? 'a key or a value with blanks stands in quotes' : undefined
}
