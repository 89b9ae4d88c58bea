#!/usr/bin/env node
import { writeSync } from 'node:fs'
import { describeSystemError, describeUnexpected } from './failures.js'
import { EXIT, Interruption } from './io.js'
import { main } from './main.js'
import { colourOf } from './show/colour.js'
import { openPager } from './show/pager.js'
import { escapeForeign } from './show/terminal.js'

/** Ends the process with a sentence, where standard error can still take one. */
function endWith(message: string, hint = ''): never {
  const text = escapeForeign(`itemtrail: ${message}\n${hint === '' ? '' : `  ${hint}\n`}`)
  try {
    writeSync(process.stderr.fd, text)
  } catch {
    // nobody reads it
  }
  process.exit(EXIT.unchecked)
}

for (const [name, stream] of [
  ['standard output', process.stdout],
  ['standard error', process.stderr],
] as const) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // a reader such as `head` goes away before everything is written, and wants to hear no more of it
    if (error.code === 'EPIPE') process.exit(EXIT.unchecked)
    const text = describeSystemError({ ...error, message: error.message, path: name })
    // nothing was archived where an answer was written
    endWith(text?.split(';')[0] ?? `${name} could not be written: ${error.message}`)
  })
}
process.on('uncaughtException', error => endWith(...describeUnexpected(error)))

const canSteer = process.env.TERM !== 'dumb'

// the SDK tells users of Node 20 what its next versions will want; which version is used is decided here
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'

/** What ends a process from outside. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const controller = new AbortController()
let endedBy: NodeJS.Signals | undefined

/** The first signal is a wish, and the last that is heard: another one ends the process as if nobody listened. */
function interrupt(signal: NodeJS.Signals): void {
  for (const name of SIGNALS) process.off(name, interrupt)
  endedBy = signal
  controller.abort(new Interruption(signal))
}

const exit = await main(process.argv.slice(2), {
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text),
  stdin: process.stdin,
  // a terminal that nobody sized has none
  columns: process.stdout.isTTY ? process.stdout.columns || undefined : undefined,
  lines: process.stdout.isTTY ? process.stdout.rows || undefined : undefined,
  ...(process.stdout.isTTY && canSteer && { openPager }),
  errIsTerminal: process.stderr.isTTY === true && canSteer,
  outIsTerminal: process.stdout.isTTY === true,
  colour: colourOf(process.stdout.isTTY === true, process.env),
  zone: process.env.TZ,
  outBytes: bytes => process.stdout.write(bytes),
  interruption: () => {
    if (!controller.signal.aborted)
      for (const name of SIGNALS) if (!process.listeners(name).includes(interrupt)) process.on(name, interrupt)
    return controller.signal
  },
})
process.exitCode = exit
// whoever waits for this process, such as a shell's loop, is to know that it was ended
if (endedBy !== undefined) process.kill(process.pid, endedBy)
