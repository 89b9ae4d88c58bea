import { refuseFolderFlags } from '../ask/engine-choice.js'
import { ARCHIVE_OPTION, CONFIG_OPTION } from '../ask/workspace.js'
import { type Command, CommandError, type Io, type Options } from '../io.js'
import { DEFAULT_ARCHIVE } from '../show/archive-name.js'
import { FORMAT_OPTION } from '../show/choose-format.js'
import { eraseCommand } from './subject/erase.js'
import { exportCommand } from './subject/export.js'
import { findCommand } from './subject/find.js'
import { holdCommand, releaseCommand } from './subject/hold.js'
import { adoptCommand, initCommand, renewCommand, tokenCommand } from './subject/keys.js'

/** What can be done about a person. */
const ACTS: Readonly<Record<string, (id: string | undefined, options: Options, io: Io) => ReturnType<Command['run']>>> =
  {
    init: initCommand,
    token: tokenCommand,
    find: findCommand,
    export: exportCommand,
    erase: eraseCommand,
    hold: holdCommand,
    release: releaseCommand,
    renew: renewCommand,
    adopt: adoptCommand,
  }

/** A person whom rows concern: found, told what is kept, made unreadable. */
export const subject: Command = {
  usage: 'subject <act> [id]',
  summary: `a person whom rows concern: ${Object.keys(ACTS).join(', ')}`,
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--stack <name>', 'on AWS, a stack whose outputs name keys, workgroup, database and buckets'],
    ['--region <region>', 'on AWS, the region'],
    ['--reason <text>', 'why; it stays for good, so it is to name nobody'],
    ['--ticket <name>', 'the request that asks for it'],
    ['--by <name>', 'who asks for it; without it the user of this system'],
    ['--case <name>', 'the case that holds an erasure back'],
    ['--table <table>', 'of token: what follows is a key of this table, whose token is told'],
    FORMAT_OPTION,
  ],
  example: 'itemtrail subject erase u-4711 --reason "asked by the person" --ticket REQ-2041',
  run: async ([act = '', id], options, io) => {
    const run = Object.hasOwn(ACTS, act) ? ACTS[act] : undefined
    if (run === undefined)
      throw new CommandError(`subject ${act} is unknown, expected one of ${Object.keys(ACTS).join(', ')}`)
    if (typeof options.stack === 'string') refuseFolderFlags(options, DEFAULT_ARCHIVE)
    else if (options.region !== undefined) throw new CommandError('--region is of a stack, expected --stack with it')
    return run(id, options, io)
  },
}
