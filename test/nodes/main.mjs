// `npm run test:nodes`: the command line, the library and the constructs on every Node that is supported. What they
// answer has to be the same to the byte. The Nodes come from npm, which keeps them.
// Usage: node test/nodes/main.mjs [VERSION...], after npm run build
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const { engines } = JSON.parse(readFileSync(join(here, '../../package.json'), 'utf8'))
/** The oldest that package.json allows, and the newest of each line that has long-term support. */
const VERSIONS = [engines.node.replace('>=', ''), '22', '24']

const asked = process.argv.slice(2)
const answers = (asked.length > 0 ? asked : VERSIONS).map(version => {
  const started = performance.now()
  // npx runs what the package is: a Node
  const argv = ['-y', `node@${version}`, join(here, 'smoke.mjs')]
  const { status, stdout, stderr } = spawnSync('npx', argv, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) {
    console.error(`node@${version} ended with ${status}\n${stdout.slice(-2000)}\n${stderr.slice(-4000)}`)
    process.exit(1)
  }
  const [name, ...answer] = stdout.split('\n')
  console.log(`${name}: ${answer.length} lines in ${Math.round((performance.now() - started) / 100) / 10} s`)
  return { name, answer: answer.join('\n') }
})

const [first, ...others] = answers
const different = others.filter(({ answer }) => answer !== first.answer)
for (const { name, answer } of different) {
  const lines = [first.answer, answer].map(text => text.split('\n'))
  const at = lines[0].findIndex((line, i) => line !== lines[1][i])
  console.error(`${name} answers otherwise than ${first.name}:\n- ${lines[0][at]}\n+ ${lines[1][at]}`)
}
process.exit(different.length > 0 ? 1 : 0)
