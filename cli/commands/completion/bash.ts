import { type Completed, type ListedCommand, wordsOfKind } from './command-list.js'

/** The completion of bash: every word in it is ours; names of tables are taken only where they can be one. */
export function bashCompletion(commands: readonly ListedCommand[]): string {
  const names = commands.map(({ name }) => name)
  return `# completion of itemtrail for bash: source <(itemtrail completion bash)
_itemtrail_tables() {
  local folder name
  for folder in "$1"/data/*/; do
    name=\${folder%/}
    name=\${name##*/}
    [[ $name =~ ^[A-Za-z0-9_.-]+$ && $name == "$2"* ]] && COMPREPLY+=("$name")
  done
}

_itemtrail() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  local options='' arguments='' archive=./archive kind='' place=0 i word
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${[...names, 'help'].join(' ')} --help --version' -- "$cur"))
    return
  fi
  case \${COMP_WORDS[1]} in
${commands.map(bashCase).join('\n')}
    help) arguments=command ;;
    *) return ;;
  esac
  for ((i = 2; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    kind=''
    if [[ " $options " =~ " $word:"([a-z]+)" " ]]; then
      kind=\${BASH_REMATCH[1]}
      [[ $word == --archive ]] && archive=\${COMP_WORDS[i + 1]}
      ((++i == COMP_CWORD)) || kind=''
    elif [[ $word != -* ]]; then
      ((++place))
    fi
  done
  if [[ $kind == '' && $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$(printf '%s' "$options" | sed 's/:[a-z]*//g')" -- "$cur"))
    return
  fi
  if [[ $kind == '' ]]; then
    set -- $arguments
    kind=\${@:place + 1:1}
    # the last may come again
    [[ $kind == '' && $arguments == *table ]] && kind=table
  fi
  case $kind in
    table) _itemtrail_tables "$archive" "$cur" ;;
    file) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")) ;;
    folder) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")) ;;
    command) COMPREPLY=($(compgen -W '${names.join(' ')}' -- "$cur")) ;;
${(['format', 'query', 'shell'] as const).map(wordsCase).join('\n')}
  esac
}
complete -F _itemtrail itemtrail
`
}

/** `--archive:folder` takes a folder, `--force` nothing. */
function bashCase({ name, options, arguments: kinds }: ListedCommand): string {
  const flags = options.flatMap(({ flags, value }) =>
    flags.map(flag => (value === undefined ? flag : `${flag}:${value}`)),
  )
  return `    ${name}) options='${flags.join(' ')}' arguments='${kinds.join(' ')}' ;;`
}

function wordsCase(kind: Completed): string {
  return `    ${kind}) COMPREPLY=($(compgen -W '${wordsOfKind(kind).join(' ')}' -- "$cur")) ;;`
}
