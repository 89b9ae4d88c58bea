/** Who is woken on the world's archive: alarms that are made to go off, and the commands of their pages. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { aws } from './acting.js'
import { invoke } from './drive.js'
import { ROOT } from './emulator.js'
import { waitFor } from './stack.js'
import { physicalOf, STACK, type World } from './world.js'

const RUNBOOK = readFileSync(join(ROOT, 'docs', 'runbook.md'), 'utf8')

/** A section of the runbook, without its heading. Throws where there is none. */
export function sectionOf(heading: string): string {
  const [, section] = RUNBOOK.split(new RegExp(`\n##+ ${heading}\n`))
  if (section === undefined) throw new Error(`the runbook has no section ${JSON.stringify(heading)}`)
  return section.split(/\n##+ /)[0] as string
}

/** What a person puts in the place of a command's open words. */
type Filling = Readonly<Record<string, string>>

/** A command of a page, which has to be there, or a block of them. */
export function lineOf(page: string, pattern: RegExp, put: Filling = {}): string {
  const section = sectionOf(page)
  const found = codesIn(section).find(code => pattern.test(code))
  if (found === undefined) throw new Error(`page ${page} has no command like ${pattern}, it has:\n${section}`)
  return Object.entries(put).reduce((line, [word, value]) => line.replaceAll(word, value), found)
}

/** Blocks of commands, and what stands between back quotes. */
function codesIn(text: string): readonly string[] {
  const found = text.matchAll(/```sh\n([\s\S]+?)\n *```|`([^`]+)`/g)
  return [...found].map(([, block, code]) => (block ?? code) as string)
}

/** Every command of the runbook for a program, each once; a name alone is none. */
export function commandsOf(program: string): readonly string[] {
  const lines = codesIn(RUNBOOK).flatMap(code => code.split('\n').map(line => line.trim().replace(/^npx /, '')))
  return [...new Set(lines.filter(line => new RegExp(`^${program} \\S+ +\\S`).test(line)))]
}

/** The same in words, as a shell takes it apart. */
export function command(page: string, pattern: RegExp, put: Filling = {}): readonly string[] {
  const words = lineOf(page, pattern, put).match(/'[^']*'|\S+/g) ?? []
  return words.map(word => word.replace(/^'(.*)'$/, '$1'))
}

interface Alarm {
  readonly AlarmName: string
  readonly AlarmDescription: string
  readonly StateValue: string
  readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[]
  readonly MetricName?: string
  readonly Namespace?: string
}

/** The alarms of a world, and its functions. */
export function onCall(world: World) {
  async function alarmOf(name: string, subject: string): Promise<Alarm> {
    const { MetricAlarms }: { MetricAlarms: readonly Alarm[] } = await aws(world, ['cloudwatch', 'describe-alarms'])
    const found = MetricAlarms.filter(
      ({ AlarmName, AlarmDescription: text }) =>
        AlarmName.startsWith(`${STACK}-`) &&
        text.endsWith(`docs/runbook.md, ${name}`) &&
        text.includes(`] ${subject}: `),
    )
    expect([name, found.length]).toEqual([name, 1])
    return found[0] as Alarm
  }
  const stateOf = async (name: string, subject = 'archive') => (await alarmOf(name, subject)).StateValue
  const becomes = (wanted: string) => (name: string, subject?: string) =>
    waitFor(
      () => stateOf(name, subject),
      state => state === wanted,
      20,
    )
  const put = (space: string, name: string, dimensions: Alarm['Dimensions'], value: number, minutesAgo: number) =>
    aws(world, [
      ...['cloudwatch', 'put-metric-data', '--namespace', space, '--metric-name', name, '--value', `${value}`],
      ...['--timestamp', new Date(Date.now() - minutesAgo * 60_000).toISOString()],
      ...['--dimensions', dimensions.map(({ Name, Value }) => `${Name}=${Value}`).join(',')],
    ])
  const functionOf = (id: RegExp) => physicalOf(world.resources, id, 'AWS::Lambda::Function')
  return {
    stateOf,
    goesOff: becomes('ALARM'),
    isOver: becomes('OK'),
    put,
    /** Counts as the service would, where the emulator does not. */
    count: async (name: string, subject: string, value: number, minutesAgo = [0]): Promise<void> => {
      const { Namespace, MetricName, Dimensions } = await alarmOf(name, subject)
      for (const minutes of minutesAgo) await put(`${Namespace}`, `${MetricName}`, Dimensions, value, minutes)
    },
    functionOf,
    call: (id: RegExp) => invoke(functionOf(id), {}, world.environment, world.folder),
    /** Runs a command of a page as the account's root would, in what it names first. */
    run: (argv: readonly string[]) => aws(world, argv[0] === 'aws' ? argv.slice(1) : argv),
  }
}
