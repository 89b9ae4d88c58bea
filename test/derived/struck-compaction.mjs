/**
 * A compaction that kills its own process at a step, counted from 1, or tells its steps where that is 0: each statement and
 * each change below `derived/`, before and after. Needs `npm run build`.
 */
import { DerivedFolder } from '../../dist/derived/derived-folder.js'
import { compactTable } from '../../dist/derived/desk-compactor.js'
import { Workbench } from '../../dist/derived/workbench.js'

const [root, at] = process.argv.slice(2)
const steps = []

function step(name) {
  steps.push(name)
  if (steps.length === Number(at)) process.kill(process.pid, 'SIGKILL')
}

for (const [type, names] of [
  [DerivedFolder.prototype, ['put', 'replace', 'remove']],
  [Workbench.prototype, ['query']],
]) {
  for (const name of names) {
    const act = type[name]
    type[name] = async function (...values) {
      step(`${name} before`)
      const answer = await act.apply(this, values)
      step(`${name} after`)
      return answer
    }
  }
}

await compactTable(root, 'Orders', { checkpointBytes: 1 })
process.stdout.write(JSON.stringify(steps))
