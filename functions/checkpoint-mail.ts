import type { Head } from '../journal/head.js'

/** A message of SNS; as a subject it takes 100 characters of ASCII. */
export interface Mail {
  readonly Subject: string
  readonly Message: string
}

const MOST_SUBJECT = 100

/** A checkpoint as it is mailed to whoever keeps it: what it is for, and its lines as they stand. */
export function checkpointMail({ size, note }: Head, origin: string): Mail {
  return {
    Subject: `Itemtrail checkpoint ${size} of ${origin}`.slice(0, MOST_SUBJECT),
    Message: `Keep this message where nobody who can change the archive can change it. Whatever the archive held when it was
sent can be held against it later: save the lines below as kept.checkpoint, and run
itemtrail verify --since kept.checkpoint

${note}`,
  }
}
