/**
 * `npm run simulate -- --seeds N --hours H [--first S]` runs so many worlds; one line a failure, with its seed.
 * `npm run simulate -- --seed S --hours H --trace` tells the story of one.
 */
import { parseArgs } from 'node:util'
import { type Outcome, runScenario, storyOf } from './run.js'
import { scenarioOf } from './scenario.js'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    hours: { type: 'string', default: '24' },
    seconds: { type: 'string' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
})

const hours = Number(values.hours)

async function main(): Promise<number> {
  if (values.seed !== undefined) return replay(Number(values.seed))
  const cpu = process.cpuUsage()
  const until = values.seconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + 1000 * Number(values.seconds)
  const totals = { seeds: 0, failed: 0, versions: 0, archived: 0, kept: 0, lost: 0 }
  const struck = new Map<string, number>()
  const first = Number(values.first)
  for (let seed = first; seed < first + Number(values.seeds) && Date.now() < until; seed++) {
    const outcome = await runScenario(scenarioOf(seed, hours))
    totals.seeds++
    for (const name of ['versions', 'archived', 'kept', 'lost'] as const) totals[name] += outcome[name]
    for (const [kind, times] of outcome.struck) struck.set(kind, (struck.get(kind) ?? 0) + times)
    if (outcome.problems.length === 0) continue
    totals.failed++
    console.log(`seed ${seed}: ${outcome.problems.length} problems, ${outcome.problems[0]}`)
  }
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (user + system) / 1_000_000
  console.log(`seeds ${first} to ${first + totals.seeds - 1}: ${JSON.stringify(totals)}`)
  console.log([...struck].map(([kind, times]) => `${kind} ${times}`).join(', '))
  console.log(
    `${totals.seeds * hours} simulated hours, ${((totals.seeds * hours) / seconds).toFixed(0)} a second of CPU`,
  )
  return totals.failed === 0 ? 0 : 1
}

async function replay(seed: number): Promise<number> {
  const outcome: Outcome = await runScenario(scenarioOf(seed, hours), true)
  if (values.trace) for (const line of outcome.story) console.log(line)
  console.log(JSON.stringify({ ...outcome.scenario }, null, 1))
  for (const problem of outcome.problems.slice(0, 20)) console.log(problem)
  for (const line of storyOf(outcome)) console.log(line)
  const { versions, archived, kept, lost, alarms, digest } = outcome
  console.log(JSON.stringify({ versions, archived, kept, lost, alarms, digest }))
  return outcome.problems.length === 0 ? 0 : 1
}

process.exitCode = await main()
