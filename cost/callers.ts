/** What it costs a month, at most, that an archive keeps who called for its table's writes. */
import { GB } from '../aws/prices.js'
import { CALLS } from './assumptions.js'
import { type AddedBill, line, type Part, sum } from './bill.js'
import type { Flow } from './flow.js'

/**
 * Each write by itself is an event, and a batch or a transaction is one for all of its writes. Files are those of the
 * first month.
 */
export function callersBillOf({ changes }: Pick<Flow, 'changes'>): AddedBill {
  const parts: readonly Part[] = [
    { ...line('CloudTrail, data events', changes, 'events'), part: 'CloudTrail, events of writes' },
    { ...line('S3, put', CALLS.filesAMonth, 'requests'), part: 'S3, writing its files', fixed: true },
    { ...line('S3 Standard', (changes * CALLS.eventBytes) / GB, 'GB-months'), part: 'S3, the first month of them' },
  ]
  return { parts, usdAMonth: sum(parts) }
}
