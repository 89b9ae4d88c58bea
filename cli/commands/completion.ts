import { toolVersion } from '../../config/package.js'
import { type Command, CommandError, EXIT, type Io } from '../io.js'
import { bashCompletion } from './completion/bash.js'
import { type ListedCommand, listCommands, SHELLS } from './completion/command-list.js'
import { fishCompletion } from './completion/fish.js'
import { manualPage } from './completion/manual.js'
import { zshCompletion } from './completion/zsh.js'

/** What shells complete, of the commands that there are. */
export function completionOf(commands: () => Promise<readonly Command[]>): Command {
  return {
    usage: 'completion <shell>',
    summary: `what a shell needs to complete commands, options, questions and tables: ${SHELLS.join(', ')}`,
    options: [],
    example: 'itemtrail completion bash > ~/.local/share/bash-completion/completions/itemtrail',
    run: async ([shell = ''], _, io) => {
      const write = WRITERS[shell]
      if (write === undefined)
        throw new CommandError(`shell ${JSON.stringify(shell)} is unknown, expected ${SHELLS.join(', ')}`)
      return print(write(listCommands(await commands())), io)
    },
  }
}

/** The manual page, of the commands that there are. */
export function manualOf(commands: () => Promise<readonly Command[]>, about: string): Command {
  return {
    usage: 'manual',
    summary: 'the manual page, for man',
    options: [],
    example: 'itemtrail manual > /usr/local/share/man/man1/itemtrail.1',
    run: async (_, __, io) => print(manualPage(listCommands(await commands()), about, toolVersion()), io),
  }
}

const WRITERS: Readonly<Record<string, (commands: readonly ListedCommand[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

async function print(text: string, io: Io) {
  io.out(text)
  return EXIT.done
}
