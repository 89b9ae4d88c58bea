import { BUFFER } from '../../aws/firehose-buffer.js'
import { planOf } from '../../cost/plan.js'
import { ARCHIVE_OPTION, CONFIG_OPTION } from '../ask/workspace.js'
import { type Command, EXIT } from '../io.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import { planJson } from './plan/for-programs.js'
import { printPlan } from './plan/page.js'
import { subjectOf } from './plan/subject.js'

/** What an archive of a table will take of AWS and cost, before there is one or from one that is there. */
export const plan: Command = {
  usage: 'plan [sample]',
  summary: 'what archiving a table takes of AWS: capacity, limits, and what a month costs',
  options: [
    ['--writes-per-second <n>', 'changes a second, on average over a month'],
    ['--peak <n>', 'changes in the busiest second (3 times the average)'],
    ['--item-size <size>', 'an item as DynamoDB counts it: 800, 1.5KB'],
    ['--updates <percent>', 'share of updates among the changes (70)'],
    ['--deletes <percent>', 'share of deletes (10); the rest are inserts'],
    ['--from-archive <table>', 'measure all of these in the archive'],
    ['--table <table>', 'the table of a sample that has several'],
    ['--retention-days <n>', "days that the archive is kept (the configuration's lock, or 2557)"],
    ['--buffer-mb <n>', `what Firehose gathers for an object (the configuration's, or ${BUFFER.mb})`],
    ['--buffer-seconds <n>', `how long it gathers (the configuration's, or ${BUFFER.seconds})`],
    ARCHIVE_OPTION,
    CONFIG_OPTION,
    FORMAT_OPTION,
  ],
  example: 'itemtrail plan --writes-per-second 100 --item-size 1KB',
  run: async (args, options, io) => {
    const format = formatOf(options)
    const { source, subject } = await subjectOf(args[0], options, io)
    const planned = planOf(subject)
    await format.print({ page: () => printPlan(planned, source, io), whole: () => planJson(planned, source) }, io)
    return EXIT.done
  },
}
