#!/usr/bin/env node
import { main } from './main.js'

// a reader such as `head` may go away before everything is written
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const exit = await main(process.argv.slice(2), {
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text),
  stdin: process.stdin,
  columns: process.stdout.isTTY ? process.stdout.columns : undefined,
  errIsTerminal: process.stderr.isTTY ?? false,
  colour: process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '',
})
process.exitCode = exit
