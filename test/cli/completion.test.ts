/** What shells complete, asked of the shells themselves; those that are not installed are skipped by name. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadCommands } from '../../cli/main.js'
import { makeFolder, run } from './command-line.js'

const COMMANDS = await loadCommands()

const isThere = (program: string) => spawnSync(program, ['--version']).status === 0
const named = (shell: string) => `${shell}${isThere(shell) ? '' : ` (skipped: no ${shell} here)`}`

/** A folder with the completions, and an archive of two tables and of what is none. */
let folder: string
beforeAll(async () => {
  folder = makeFolder()
  for (const shell of ['bash', 'zsh', 'fish'])
    writeFileSync(join(folder, `c.${shell}`), (await run(['completion', shell])).out)
  for (const table of ['Orders', 'People.v2', '$(touch pwned)', '`touch pwned`', 'a b', "'"])
    mkdirSync(join(folder, 'arch/data', table), { recursive: true })
})
const inFolder = (program: string, ...args: readonly string[]) =>
  execFileSync(program, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 })

/** What is typed, and all that can follow, some of it, or nothing. */
const CASES: readonly (readonly [typed: string, words: readonly string[]])[] = [
  ['itemtrail his', ['history']],
  ['itemtrail query delet', ['deletions']],
  ['itemtrail query --archive arch deletions ', ['Orders', 'People.v2']],
  ['itemtrail history --archive arch ', ['Orders', 'People.v2']],
  ['itemtrail show --archive arch P', ['People.v2']],
  ['itemtrail history Orders --form', ['--format']],
  ['itemtrail history Orders x --format nd', ['ndjson']],
  ['itemtrail completion f', ['fish']],
]

describe.skipIf(!isThere('bash'))(named('bash'), () => {
  const complete = (typed: string) => {
    const words = typed.split(' ').map(word => `'${word}'`)
    const script = `source ./c.bash; compopt() { :; }; COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _itemtrail; printf '%s\\n' "\${COMPREPLY[@]}"`
    return inFolder('bash', '--norc', '-c', script).split('\n').filter(Boolean)
  }

  it.each(CASES)('completes %s', (typed, words) => expect(complete(typed)).toEqual(words))

  it('knows every command and each of its options', () => {
    expect(complete('itemtrail ').sort()).toEqual(
      [...COMMANDS.map(({ usage }) => usage.split(' ')[0]), 'help', '--help', '--version'].sort(),
    )
    for (const { usage, options } of COMMANDS) {
      const flags = options.flatMap(([text]) => text.split(/,? /).filter(word => word.startsWith('-')))
      expect(complete(`itemtrail ${usage.split(' ')[0]} -`)).toEqual([...flags, '--tz', '--color', '-h', '--help'])
    }
  })

  it('runs nothing that a folder is called', () => expect(existsSync(join(folder, 'pwned'))).toBe(false))
})

describe.skipIf(!isThere('fish'))(named('fish'), () => {
  it.each(CASES)('completes %s', (typed, words) => {
    const told = inFolder('fish', '--no-config', '-c', `source ./c.fish; complete -C '${typed}'`)
    expect(
      told
        .split('\n')
        .map(line => line.split('\t')[0])
        .filter(Boolean),
    ).toEqual(words)
    expect(existsSync(join(folder, 'pwned'))).toBe(false)
  })
})

describe.skipIf(!isThere('zsh'))(named('zsh'), () => {
  it('completes what is typed at its prompt', () => {
    const asked = CASES.filter(([, words]) => words.length === 1)
    writeFileSync(
      join(folder, 'ask.zsh'),
      `${ZSH}\n${asked.map(([typed, [word]]) => `ask '${typed}' '${word}'`).join('\n')}\nzpty -d z\n`,
    )
    expect(inFolder('zsh', '-f', 'ask.zsh').trim().split('\n')).toEqual(asked.map(([, [word]]) => `ok ${word}`))
    expect(existsSync(join(folder, 'pwned'))).toBe(false)
  })
})

/** Types into a zsh at a terminal of its own, and waits for the word. */
const ZSH = `zmodload zsh/zpty
zpty z zsh -f -i
ask() {
  zpty -w -n z "$1"$'\\t'
  local out= piece
  local -i i
  for ((i = 0; i < 100; i++)); do
    while zpty -r -t z piece; do out+=$piece; done
    [[ $out == *$2* ]] && { print -r -- "ok $2"; zpty -w -n z $'\\x15'; sleep 0.1; return }
    sleep 0.1
  done
  print -r -- "$1 became \${(V)out}"
  zpty -w -n z $'\\x15'
}
zpty -w z "PROMPT=; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source ./c.zsh; TERM=dumb"
sleep 1`

describe('completion', () => {
  it('of another shell is refused', async () => {
    expect(await run(['completion', 'tcsh'])).toMatchObject({
      exit: 2,
      out: '',
      err: 'itemtrail: shell "tcsh" is unknown, expected bash, zsh, fish\n',
    })
  })
})

describe('manual', () => {
  it('has every command with its options and its example', async () => {
    const { exit, out } = await run(['manual'])
    expect(exit).toBe(0)
    for (const { usage, options, example } of COMMANDS) {
      expect(out).toContain(`\n.SS ${usage.split(' ')[0]?.replaceAll('-', '\\-')}`)
      for (const [flags] of options) expect(out).toContain(`\n.B ${flags.replaceAll('-', '\\-')}\n`)
      expect(out).toContain(`Example: ${example.replaceAll('\\', '\\e').replaceAll('-', '\\-')}\n`)
    }
    // only what is ours begins a line with a dot
    expect(out.match(/^[.'].*$/gm)?.filter(line => !/^\.(TH|SH|SS|TP|PP|B|I|br)\b/.test(line))).toEqual([])
  })

  it.skipIf(!isThere('groff'))(
    `is set by groff without a warning${isThere('groff') ? '' : ' (skipped: no groff here)'}`,
    async () => {
      const { out } = await run(['manual'])
      const set = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-k'], { input: out, encoding: 'utf8' })
      expect([set.status, set.stderr]).toEqual([0, ''])
      expect(set.stdout).toContain('history')
    },
  )
})
