// What one Node answers, its own version first; see main.mjs.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = join(dirname(fileURLToPath(import.meta.url)), '../../dist')
const folder = mkdtempSync(join(tmpdir(), 'itemtrail-nodes-'))

/** Runs a command in a process of its own, on this very Node, and prints what it answers. */
function ask(...argv) {
  const env = { ...process.env, XDG_STATE_HOME: folder }
  console.log(`$ itemtrail ${argv.join(' ')}`)
  const answer = execFileSync(process.execPath, [join(dist, 'cli/itemtrail.js'), ...argv], {
    cwd: folder,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  console.log(answer.trimEnd())
}

try {
  console.log(`node ${process.version}`)
  ask('demo')
  const at = ['--archive', 'demo']
  ask('history', 'Orders', 'ORD12345', '--format', 'json', ...at)
  ask('diff', 'Orders', '--from', '2026-11-18', '--to', '2026-11-19', ...at)
  ask('query', 'status-transitions', 'Orders', '--format', 'csv', ...at)
  ask('verify', 'rows', ...at)
  ask('verify', 'continuity', ...at)
  ask('restore', 'Orders', 'ORD12345', '--as-of', '2026-11-20', '--against', 'archive', ...at)
  const { openArchive } = await import(join(dist, 'index.js'))
  const archive = await openArchive(join(folder, 'demo'))
  const { changes, confidence } = await archive.history('Orders', 'ORD12345')
  console.log(changes.length, confidence)
  await archive.close()
  const { AuditArchive } = await import(join(dist, 'infra/index.js'))
  const { App, Stack } = await import('aws-cdk-lib')
  const { AttributeType, StreamViewType, TableV2 } = await import('aws-cdk-lib/aws-dynamodb')
  const app = new App({ outdir: join(folder, 'cdk.out') })
  const stack = new Stack(app, 'Smoke')
  const partitionKey = { name: 'id', type: AttributeType.STRING }
  const dynamoStream = StreamViewType.NEW_AND_OLD_IMAGES
  const orders = new TableV2(stack, 'Orders', { tableName: 'Orders', partitionKey, dynamoStream })
  const audit = new AuditArchive(stack, 'Audit', { lock: { mode: 'governance', days: 2557 } })
  audit.capture(orders, { since: '2026-11-22' })
  console.log(Object.keys(app.synth().getStackByName('Smoke').template.Resources).length, 'resources')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
