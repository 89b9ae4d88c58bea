import type { ListedCommand, ListedOption } from './command-list.js'

/** The manual page of the program, in the language of `man`. */
export function manualPage(commands: readonly ListedCommand[], about: string, version: string): string {
  return `${[
    `.TH ITEMTRAIL 1 "" "itemtrail ${version}" "User Commands"`,
    '.SH NAME',
    `itemtrail \\- ${escaped(about)}`,
    '.SH SYNOPSIS',
    '.B itemtrail',
    '.I COMMAND',
    '[arguments] [options]',
    '.SH COMMANDS',
    ...commands.flatMap(linesOf),
    '.SH EXIT STATUS',
    ...['0  done', '1  findings or failure', '2  used wrongly', '3  could not check'].flatMap(line => ['.br', line]),
    '.SH OUTPUT',
    'Answers go to standard output, everything else to standard error.',
  ].join('\n')}\n`
}

function linesOf({ usage, summary, example, options }: ListedCommand): readonly string[] {
  return [
    `.SS ${escaped(usage)}`,
    escaped(summary),
    ...options.flatMap(optionLines),
    '.PP',
    `Example: ${escaped(example)}`,
  ]
}

function optionLines({ flags, placeholder, description }: ListedOption): readonly string[] {
  return ['.TP', `.B ${escaped(`${flags.join(', ')} ${placeholder}`.trim())}`, escaped(description)]
}

/** A line that begins with a dot or an apostrophe is an order, and a hyphen would be one of typography. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
}
