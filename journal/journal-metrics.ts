/** What the sealer and the check count of an archive, by metric name. */
export const JOURNAL_METRICS = {
  /** Sealings that ended, which is one an hour. */
  seals: 'Seals',
  objectsSealed: 'ObjectsSealed',
  /** Objects that a sealing did not come to. */
  objectsLeft: 'ObjectsLeft',
  /** Keys that cannot be used any more, or soon cannot: of the archive, or of its journal. */
  keysClosing: 'KeysClosing',
  /** Uses of the journal's key that are no sealing. */
  keyUsed: 'KeyUsedOtherwise',
  /** Histories of the journal beside the one that was sealed, files of it that are others, another key. */
  forked: 'JournalForked',
  /** Objects that were sealed and are gone or others. */
  altered: 'ObjectsAltered',
  /** Objects that no sealing took. */
  unlisted: 'ObjectsUnlisted',
  /** Checks of the journal that ended, which is one a day. */
  checks: 'JournalChecks',
  /** Turns of the check that began more than `LATE_DAYS` ago: of the journal itself, of the archive's days. */
  turnsLate: 'TurnsLate',
} as const

/** Days within which all that was looked at before is looked at again. */
export const LATE_DAYS = 90
