import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { exportsOf, FOLDERS, filesOf, type Import, importsOf, read } from './source.js'

/**
 * The rooms, floor by floor, each with what it is for. A room may import those on lower floors and itself, nothing
 * else: neither those beside it nor those above.
 */
const FLOORS: readonly { readonly [room: string]: string }[] = [
  {
    transform: 'makes a row of a record; it runs in Lambda and is on disk for good, so it knows nobody',
    proof: 'is of trees and notes alone, so that strangers can check them without us',
  },
  { aws: 'is what every client of AWS shares, and what AWS itself is like' },
  { config: 'says what somebody wants, not how it is done' },
  { capture: 'brings records, and does not know where rows end up' },
  { store: 'is where objects lie, and does not know what they are asked' },
  { 'queries/engines': 'runs a statement, whatever it asks; what it reads instead is given to it' },
  { journal: 'seals what was written, and proves it, whatever is asked of it' },
  { queries: 'makes a statement of a question' },
  { 'queries/verdict': 'folds rows into states and says how sure they are' },
  { 'view/paper': 'is what a page is made of, on a screen and in a file' },
  { 'queries/answers': 'makes an answer a file, with a receipt' },
  {
    derived: 'can be made again from the archive, so nothing that makes the archive may need it',
    delivery: 'is Firehose on a desk',
    restore: 'sets the archive against a table',
    erasure: 'has the keys of what is sealed, which nothing below needs',
    cost: 'reckons',
    doctor: 'judges what is deployed',
  },
  { evidence: 'hands out what the journal proves, and judges it without the archive' },
  { library: 'puts these together for programs, of which the command line is one' },
  {
    functions: 'is what runs in Lambda',
    infra: 'is constructs alone',
    cli: 'is where a program gets its arguments and leaves its output',
  },
  { 'cli/show': 'prints, and knows neither where an answer is from nor a command' },
  {
    'cli/ask': 'is what commands share to ask',
    view: 'shows the archive to a browser, in the words of `cli/show`',
  },
  { 'cli/commands': 'is the commands, which main.ts knows and nobody else' },
  { 'cli/main': 'starts a command' },
]

/** What only tests use of what is exported, and why they do not use what the product does. */
const UNUSED: { readonly [name: string]: string } = {
  'cli/commands/init/infer-configuration.ts noteDocument': 'a law over many documents has no file for each',
  'cli/commands/tail/progress.ts describeStatus':
    'what a terminal shows between two instants, without waiting for them',
  'cli/main.ts loadCommands': 'that each is documented, escapes and refuses is a loop over all of them',
  'journal/row-hashes.ts rowHashesOfFile': 'the reader that the small one is held against',
  'journal/seal.ts MOST_OBJECTS': 'a test has to have more objects than that',
  'queries/answers/canonical-answer.ts columnTypesOf':
    "holds an answer's types against the headers of the saved queries",
  'queries/answers/csv.ts DISARMED': 'documented for whoever reads a CSV back, which is what its test does',
  'queries/answers/receipt.ts queryVersion': 'a forged receipt names the true version',
  'queries/catalog.ts parseSavedQuery': 'a saved query that is not in the catalogue',
  'queries/verdict/reconstruct.ts stateAsOf': 'the fold that every SQL of a state is held against, on Trino too',
  'restore/restore-plan.ts planItem': 'the rule for one item, without what opens sealed values',
}

const SOURCES = filesOf(FOLDERS)
/** What uses a file besides tests. */
const USERS = ['index.ts', ...SOURCES, ...filesOf(['bench', 'examples', 'simulation'])].flatMap(importsOf)
/** What `package.json` exports: of these all is for others. */
const PUBLIC = /^(infra\/index|library\/athena)\.ts$/
const IMPORTS = SOURCES.flatMap(importsOf)
const ROOMS = new Map(
  FLOORS.flatMap((rooms, floor) => Object.entries(rooms).map(([room, why]) => [room, { floor, why }])),
)

function roomOf(file: string): string {
  if (file === 'cli/main.ts' || file === 'cli/itemtrail.ts') return 'cli/main'
  const [folder = '', inner = ''] = file.split('/')
  return ROOMS.has(`${folder}/${inner}`) ? `${folder}/${inner}` : folder
}

/** The arrow of an import between rooms that may not be. */
function wrongWay({ from, to }: Import): string | undefined {
  const [above, below] = [roomOf(from), roomOf(to)]
  if (above === below) return undefined
  return (ROOMS.get(above)?.floor ?? -1) > (ROOMS.get(below)?.floor ?? 99) ? undefined : `${above} -> ${below}`
}

describe('the house', () => {
  it('has a floor for each room', () => {
    expect(SOURCES.map(roomOf).filter(room => !ROOMS.has(room))).toEqual([])
  })

  it('has imports from above to below alone', () => {
    const wrong = IMPORTS.filter(it => wrongWay(it) !== undefined).map(
      ({ from, to }) => `${from} imports ${to}: ${roomOf(from)} ${ROOMS.get(roomOf(from))?.why}`,
    )
    expect(wrong).toEqual([])
  })

  it('has no circle, of types either', () => {
    expect(circlesOf(IMPORTS)).toEqual([])
  })

  it('has no name that two files export', () => {
    const files = new Map<string, string[]>()
    for (const file of SOURCES)
      for (const name of exportsOf(file).keys()) files.set(name, [...(files.get(name) ?? []), file])
    const shared = [...files].filter(([name, where]) => where.length > 1 && !mayBeShared(name, where))
    expect(shared).toEqual([])
  })

  it('exports only what another file uses', () => {
    expect(SOURCES.flatMap(unusedOf).sort()).toEqual(Object.keys(UNUSED).sort())
  })

  it('has no comment and no SQL of over 120 columns', () => {
    const isLong = (file: string, line: string) =>
      line.length > 120 && (file.endsWith('.sql') || /^\s*(\/\/|\/?\*)/.test(line))
    const files = [...SOURCES, ...filesOf(FOLDERS, /\.sql$/)]
    const long = files.flatMap(file =>
      read(file)
        .split('\n')
        .map((line, i) => ({ file, line, place: `${file}:${i + 1}` })),
    )
    expect(long.filter(({ file, line }) => isLong(file, line)).map(({ place }) => place)).toEqual([])
  })

  it('is all on the map, and nothing else is', () => {
    const paths = pathsIn('ARCHITECTURE.md')
    const onMap = (file: string) => paths.some(path => file === path || (path.endsWith('/') && file.startsWith(path)))
    expect(SOURCES.filter(file => !onMap(file))).toEqual([])
    const named = [...paths, ...pathsIn('CONTRIBUTING.md').filter(path => !path.includes('NAME'))]
    expect(named.filter(path => !existsSync(new URL(`../${path}`, import.meta.url)))).toEqual([])
  })
})

describe('these rules', () => {
  it('see an import that runs back, and one to a room beside', () => {
    const arrow = (from: string, to: string) => wrongWay({ from, to, names: [] })
    expect(arrow('transform/a.ts', 'capture/b.ts')).toBe('transform -> capture')
    expect(arrow('infra/a.ts', 'functions/b.ts')).toBe('infra -> functions')
    expect(arrow('cli/commands/a.ts', 'cli/main.ts')).toBe('cli/commands -> cli/main')
    expect(arrow('cli/commands/a.ts', 'transform/fast/b.ts')).toBeUndefined()
  })

  it('see a circle, however long', () => {
    const edge = (from: string, to: string): Import => ({ from, to, names: [] })
    expect(circlesOf([edge('a', 'b'), edge('b', 'c'), edge('c', 'a'), edge('c', 'd')])).toEqual(['a b c'])
    expect(circlesOf([edge('a', 'b'), edge('a', 'c'), edge('b', 'c')])).toEqual([])
  })
})

/** The files and folders of ours that a document names. */
function pathsIn(document: string): readonly string[] {
  const named = [...read(document).matchAll(/`([\w-]+(?:\/[\w.-]+)*\/?)`/g)].map(([, path]) => path as string)
  const tops = [...FOLDERS, 'docs', 'examples', 'bench', 'simulation', 'test']
  return named.filter(path => path.includes('/') && tops.includes(path.split('/')[0] as string))
}

/**
 * A command is called as what it runs; an entry point has the name that Lambda asks for; a desk mirrors a station of
 * AWS.
 */
function mayBeShared(name: string, files: readonly string[]): boolean {
  const mirror = ['delivery', 'infra'].every(room => files.some(file => roomOf(file) === room))
  return name === 'handler' || mirror || files.filter(file => roomOf(file) !== 'cli/commands').length < 2
}

/**
 * What a file exports and no other uses. A type may say what an exported function takes; `index.ts` and entry points
 * are for others.
 */
function unusedOf(file: string): readonly string[] {
  if (file.startsWith('proof/') || PUBLIC.test(file)) return []
  const taken = USERS.filter(({ to }) => to === file)
  const uses = (name: string) =>
    taken.some(({ from, names }) =>
      names === 'all' ? new RegExp(`\\b${name}\\b`).test(read(from)) : names.includes(name),
    )
  const again = (name: string) => (read(file).match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length > 1
  return [...exportsOf(file)]
    .filter(([name, kind]) => name !== 'handler' && !uses(name) && !(kind === 'type' && again(name)))
    .map(([name]) => `${file} ${name}`)
}

/** Files that import one another round and round, each circle as one text. */
function circlesOf(imports: readonly Import[]): readonly string[] {
  const next = new Map<string, string[]>()
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to])
  const reach = (start: string): ReadonlySet<string> => {
    const seen = new Set<string>()
    const visit = (file: string): void => {
      if (seen.has(file)) return
      seen.add(file)
      next.get(file)?.forEach(visit)
    }
    next.get(start)?.forEach(visit)
    return seen
  }
  const reached = new Map([...next.keys()].map(file => [file, reach(file)]))
  const around = [...reached].filter(([file, files]) => files.has(file)).map(([file]) => file)
  const circleOf = (file: string) =>
    around.filter(other => reached.get(file)?.has(other) && reached.get(other)?.has(file))
  return [...new Set(around.map(file => circleOf(file).sort().join(' ')))].sort()
}
