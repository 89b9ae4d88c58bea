/** `npm run bench` runs every suite, `npm run bench -- NAME...` some; see docs/benchmarks.md. */
import { join } from 'node:path'
import { findSuites, loadSuite } from './find.js'
import { readMachine } from './machine.js'
import { runBench } from './run.js'

const folder = import.meta.dirname

process.exitCode = await runBench({
  known: findSuites(folder),
  load: name => loadSuite(folder, name),
  wanted: process.argv.slice(2),
  document: join(folder, '../docs/benchmarks.md'),
  machine: readMachine(),
  today: new Date().toISOString().slice(0, 10),
  out: text => process.stdout.write(text),
  note: text => process.stderr.write(text),
})
