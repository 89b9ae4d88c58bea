/**
 * `npm run simulate -- --seeds N --hours H [--first S] [--seconds T]` runs so many worlds; one line a failure, with its
 * seed. With `--tally FILE` it goes on with the seed after those that the file counts, and adds its own.
 * `npm run simulate -- --seed S --hours H --trace` tells the story of one, `--shrink` that of the smallest world that
 * fails as it does, which `--keep FILE` keeps; `--scenario FILE` takes the world from such a file.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Kept, writeKept } from './kept.js'
import { kindOf, runScenario, storyOf } from './run.js'
import { type Scenario, scenarioOf } from './scenario.js'
import { shrink } from './shrink.js'
import { added, emptyTally, linesOf, type Tally } from './tally.js'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    hours: { type: 'string', default: '24' },
    seconds: { type: 'string' },
    tally: { type: 'string' },
    seed: { type: 'string' },
    scenario: { type: 'string' },
    trace: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    keep: { type: 'string' },
  },
})

const hours = Number(values.hours)


async function main(): Promise<number> {
  if (values.scenario !== undefined) return replay(read<Kept>(values.scenario).scenario)
  if (values.seed !== undefined) return replay(scenarioOf(Number(values.seed), hours))
  return runMany()
}

async function runMany(): Promise<number> {
  const { seconds, tally: path } = values
  const until = seconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + 1000 * Number(seconds)
  let tally = path !== undefined && existsSync(path) ? read<Tally>(path) : emptyTally(Number(values.first))
  const [failed, end] = [tally.failed, tally.next + Number(values.seeds)]
  console.log(`worlds of ${hours} hours, from seed ${tally.next} on`)
  while (tally.next < end && Date.now() < until) {
    const cpu = process.cpuUsage()
    const outcome = await runScenario(scenarioOf(tally.next, hours))
    const { user, system } = process.cpuUsage(cpu)
    tally = added(tally, outcome, (user + system) / 1_000_000)
    if (path !== undefined) writeFileSync(path, `${JSON.stringify(tally, null, 1)}\n`)
    const { problems, scenario } = outcome
    if (problems.length > 0) console.log(`seed ${scenario.seed}: ${problems.length} problems, ${problems[0]}`)
  }
  for (const line of linesOf(tally)) console.log(line)
  return tally.failed === failed ? 0 : 1
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T
}

/** Tells of one world, or of the smallest that fails as it does, which is kept where a file is named. */
async function replay(given: Scenario): Promise<number> {
  const outcome = await runScenario(values.shrink ? await smallest(given) : given, true)
  const { scenario, problems, versions, archived, kept, lost, alarms, digest } = outcome
  if (values.trace) for (const line of outcome.story) console.log(line)
  console.log(JSON.stringify({ scenario }))
  for (const problem of problems.slice(0, 20)) console.log(problem)
  for (const line of storyOf(outcome)) console.log(line)
  console.log(JSON.stringify({ versions, archived, kept, lost, alarms, digest }))
  const [found] = problems
  if (values.keep !== undefined && found !== undefined)
    writeKept(values.keep, { bug: found, seed: given.seed, found, mended: null, scenario })
  return found === undefined ? 0 : 1
}

/** The smallest scenario that fails as the given one does; itself where it does not fail. */
async function smallest(given: Scenario): Promise<Scenario> {
  const { problems } = await runScenario(given)
  const kind = kindOf(problems[0] ?? '')
  return shrink(given, async scenario => {
    const { problems, versions } = await runScenario(scenario)
    return problems.some(problem => kindOf(problem) === kind) ? versions : undefined
  })
}

process.exitCode = await main()
