import { type Completed, type ListedCommand, wordsOfKind } from './command-list.js'

/** The completion of zsh. Texts for people are quoted, so that none of them is run. */
export function zshCompletion(commands: readonly ListedCommand[]): string {
  return `#compdef itemtrail
# completion of itemtrail for zsh: itemtrail completion zsh > a folder of $fpath/_itemtrail
_itemtrail_tables() {
  local archive=./archive folder
  local -i at=\${words[(I)--archive]}
  (( at > 0 )) && archive=\${words[at + 1]}
  local -a tables
  for folder in $archive/data/*(N/:t); do
    [[ $folder =~ '^[A-Za-z0-9_.-]+$' ]] && tables+=($folder)
  done
  compadd -a tables
}

_itemtrail() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(zshCase).join('\n')}
    help) _describe command commands ;;
  esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _itemtrail "$@"; else compdef _itemtrail itemtrail; fi
`
}

function zshCase({ name, options, arguments: kinds }: ListedCommand): string {
  const specs = [
    ...options.flatMap(({ flags, value, description }) =>
      flags.map(flag => {
        const text = description.replaceAll(/[[\]:\\]/g, ' ')
        return `*${flag}[${text}]${value === undefined ? '' : `:${value}:${actionOf(value)}`}`
      }),
    ),
    ...kinds.map((kind, i) => `${i + 1}::${kind}:${actionOf(kind)}`),
    ...(kinds.at(-1) === 'table' ? [`*::table:${actionOf('table')}`] : []),
  ]
  return `    ${name}) _arguments -S ${specs.map(quoted).join(' \\\n      ')} ;;`
}

function actionOf(kind: Completed): string {
  if (kind === 'file') return '_files'
  if (kind === 'folder') return '_files -/'
  if (kind === 'table') return '_itemtrail_tables'
  return kind === 'nothing' ? ' ' : `(${wordsOfKind(kind).join(' ')})`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
