import { type Completed, type ListedCommand, wordsOfKind } from './command-list.js'

/** The completion of fish. Texts for people are quoted, so that none of them is run. */
export function fishCompletion(commands: readonly ListedCommand[]): string {
  return `# completion of itemtrail for fish: itemtrail completion fish | source
function __itemtrail_tables
    set -l archive ./archive
    set -l words (commandline -opc)
    set -l at (contains -i -- --archive $words)
    and set archive $words[(math $at + 1)]
    for folder in $archive/data/*/
        set -l name (path basename -- $folder)
        string match -rq '^[A-Za-z0-9_.-]+$' -- $name
        and echo $name
    end
end

complete -c itemtrail -f
complete -c itemtrail -n __fish_use_subcommand -a help -d 'tells of a command'
${commands.map(linesOf).join('\n')}
`
}

function linesOf({ name, summary, options, arguments: kinds }: ListedCommand): string {
  const seen = quoted(`__fish_seen_subcommand_from ${name}`)
  return [
    `complete -c itemtrail -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ...options.map(({ flags, value, description }) => {
      const named = flags.map(flag => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
      return `complete -c itemtrail -n ${seen} ${named.join(' ')}${takes(value)} -d ${quoted(description)}`
    }),
    ...new Set(
      kinds.flatMap((kind, i) =>
        argumentsOf(kind).map(more => `complete -c itemtrail -n ${quoted(conditionOf(name, kinds, i))} ${more}`),
      ),
    ),
  ].join('\n')
}

/** What comes from a list comes once, and what follows it only then. */
function conditionOf(name: string, kinds: readonly Completed[], i: number): string {
  const seen = (words: readonly string[]) => `__fish_seen_subcommand_from ${words.join(' ')}`
  const [own, before] = [wordsOfKind(kinds[i] as Completed), i === 0 ? [] : wordsOfKind(kinds[i - 1] as Completed)]
  return [
    seen([name]),
    ...(own.length === 0 ? [] : [`not ${seen(own)}`]),
    ...(before.length === 0 ? [] : [seen(before)]),
  ].join('; and ')
}

function takes(value: Completed | undefined): string {
  if (value === undefined) return ''
  if (value === 'file') return ' -r -F'
  if (value === 'folder') return " -x -a '(__fish_complete_directories)'"
  return value === 'nothing' ? ' -x' : ` -x -a ${quoted(wordsOfKind(value).join(' '))}`
}

function argumentsOf(kind: Completed): readonly string[] {
  if (kind === 'table') return ["-a '(__itemtrail_tables)'"]
  if (kind === 'file' || kind === 'folder') return ['-F']
  return kind === 'nothing' ? [] : [`-a ${quoted(wordsOfKind(kind).join(' '))}`]
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
