#!/usr/bin/env node
import { main } from './main.js'

// a reader such as `head` may go away before everything is written
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}

const canSteer = process.env.TERM !== 'dumb'

const exit = await main(process.argv.slice(2), {
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text),
  stdin: process.stdin,
  // a terminal that nobody sized has none
  columns: process.stdout.isTTY ? process.stdout.columns || undefined : undefined,
  errIsTerminal: process.stderr.isTTY === true && canSteer,
  colour: process.stdout.isTTY === true && canSteer && (process.env.NO_COLOR ?? '') === '',
})
process.exitCode = exit
