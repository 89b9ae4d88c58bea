/**
 * What is wrong with a journal or with what it attests. Each kind is another thing to do:
 * `missing` something that was sealed is not there; `altered` it is another than it was; `unlisted` an object that two
 * sealings passed over, so that it came by another way than all others; `forked` two histories of one journal;
 * `cut-off` the journal ends before a checkpoint that somebody holds; `foreign-key` signed by nobody who is believed;
 * `quorum` not cosigned by the witnesses that a policy asks for.
 */
export interface JournalFinding {
  readonly kind: 'missing' | 'altered' | 'unlisted' | 'forked' | 'cut-off' | 'foreign-key' | 'quorum'
  /** A key of the archive, `log/` included. */
  readonly key: string
  /** What is found of it, for people. */
  readonly message: string
}
