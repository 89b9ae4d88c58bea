import type { DeployedFact, JournalFacts } from './deployed-facts.js'
import { type Check, judged, known } from './judgement.js'

/** What is checked of the journal itself; `itemtrail verify` holds the archive against it. */
export const JOURNAL_CHECKS: readonly Check<DeployedFact<JournalFacts>>[] = [
  {
    name: 'sealing',
    todo: 'docs/runbook.md, seal-late and journal-forked',
    judge: journal =>
      known(journal, IN_TIME, ({ sealedAgoMs }) => {
        if (typeof sealedAgoMs !== 'number') return judged(false, sealedAgoMs ?? 'nothing was sealed yet', IN_TIME)
        return judged(
          sealedAgoMs <= LATE_MS,
          `the last seal is ${Math.round(sealedAgoMs / 60_000)} minutes old`,
          IN_TIME,
        )
      }),
  },
  {
    name: 'claims',
    todo: 'docs/runbook.md, journal-forked',
    judge: journal =>
      known(journal, ONCE, ({ rewritten }) => judged(rewritten.length === 0, rewritten.join(', ') || ONCE, ONCE)),
  },
  {
    name: 'use of the key',
    todo: 'docs/runbook.md, key-used',
    judge: journal =>
      known(journal, BY_SEALING, ({ strangeUse }) =>
        known(strangeUse, BY_SEALING, use => judged(use === undefined, use ?? BY_SEALING, BY_SEALING)),
      ),
  },
  {
    name: 'verification key',
    todo: 'find out who signed the checkpoint',
    judge: journal => known(journal, HANDED_OVER, ({ vkey }) => judged(true, vkey, HANDED_OVER)),
  },
]

/** Two intervals. */
const LATE_MS = 2 * 3_600_000
const IN_TIME = 'a seal within the last two hours'
const BY_SEALING = 'the last one was a sealing'
const ONCE = 'one version each'
const HANDED_OVER = 'the one that was handed to whoever verifies'
