import { foldHistory, type ItemHistory } from '../../queries/ask.js'
import { type Difference, differencesOf } from '../../queries/difference.js'
import { type ItemState, lastState } from '../../queries/reconstruct.js'
import { type Item, parseItem } from '../../transform/attribute-value.js'
import { formatInstant, type Instant } from '../../transform/instant.js'
import { isDoubtful, showConfidence } from '../confidence.js'
import { findHistory } from '../find-item.js'
import { instantOf } from '../instant.js'
import { type Command, CommandError, EXIT } from '../io.js'
import { showItemKey } from '../item-key.js'
import { FORMAT_OPTION, formatOf, paint, printable, toJson } from '../print.js'
import { showDifferences, showPath } from '../show-item.js'
import { ARCHIVE_OPTION, CONFIG_OPTION, findTable, withWorkspace } from '../workspace.js'

/** What differs in an item between two moments, field by field. */
export const diff: Command = {
  usage: 'diff <table> <key>',
  summary: 'what differs in an item between two moments, field by field',
  options: [
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    ['--from <instant>', 'the earlier moment (required)'],
    ['--to <instant>', 'the later moment', 'now'],
    FORMAT_OPTION,
  ],
  example: 'itemtrail diff Orders ORD12345 --from 2026-11-18T12:00:00Z --to 2026-11-20T12:00:00Z',
  run: (args, options, io) =>
    withWorkspace(options, async workspace => {
      const format = formatOf(options)
      if (typeof options.from !== 'string')
        throw new CommandError('--from is missing, expected an instant such as 2026-11-19T12:00:00Z')
      const [from, to] = [instantOf(options.from, '--from'), instantOf(options.to as string, '--to')]
      if (from.us > to.us) throw new CommandError(`--from ${options.from} is after --to ${options.to}`)
      const table = findTable(workspace, args[0] as string)
      const all = await findHistory(workspace, table, args[1] as string)
      const [before, after] = [stateAt(all, from), stateAt(all, to)]
      if (before.state.kind === 'unknown' || after.state.kind === 'unknown') {
        throw new CommandError(
          'an image is missing, so the states cannot be compared',
          EXIT.unchecked,
          'the history tells which view type left it out',
        )
      }
      const differences = differencesOf(itemOf(before.state), itemOf(after.state))
      if (format === 'table') {
        io.out(`${paint(io, 'bold', `${table.table} ${printable(showItemKey(all.itemKey))}`)}\n`)
        io.out(`${showSide(from, before.state)} → ${showSide(to, after.state)}\n`)
        io.out(`${showConfidence(after.history, io)}\n\n`)
        io.out(differences.length === 0 ? 'nothing differs\n' : `${showDifferences(differences, io).join('\n')}\n`)
      } else {
        const described = differences.map(describe)
        if (format === 'ndjson') for (const difference of described) io.out(`${toJson(difference)}\n`)
        else
          io.out(
            `${toJson({ table: table.table, item_key: JSON.parse(all.itemKey) as object, from: formatInstant(from.us, 6), to: formatInstant(to.us, 6), confidence: after.history.confidence, differences: described })}\n`,
          )
      }
      return isDoubtful(after.history) ? EXIT.findings : EXIT.done
    }),
}

function stateAt(all: ItemHistory, at: Instant): { readonly history: ItemHistory; readonly state: ItemState } {
  const history = foldHistory(
    all.itemKey,
    all.changes.filter(change => change.event_time_us <= at.us),
  )
  return { history, state: lastState(history.steps) }
}

function itemOf(state: ItemState): Item | null {
  return state.kind === 'present' ? parseItem(state.image) : null
}

function showSide(at: Instant, state: ItemState): string {
  const time = formatInstant(at.us, at.us % 1_000_000 === 0 ? 0 : 3).replace('T', ' ')
  if (state.kind === 'present') return time
  return `${time} (${state.kind === 'deleted' ? 'deleted' : 'not there yet'})`
}

function describe({ kind, path, before, after }: Difference): object {
  return { kind, path: showPath(path), before: before ?? null, after: after ?? null }
}
