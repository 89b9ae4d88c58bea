/** What it costs a month, at most, that persons of a table can be erased: keys, and the sealing of values. */
import { GB } from '../aws/prices.js'
import { PERSONS } from './assumptions.js'
import { type AddedBill, line, type Part, sum } from './bill.js'
import { MONTH_HOURS } from './capacity.js'
import { DEPLOYED } from './deployed.js'
import type { Flow } from './flow.js'

/**
 * At most: each change has one person's key read, which a container that knows it does not, and each new item is of a
 * person who was never seen, whose key is written.
 */
export function personsBillOf(
  { changes, transform }: Pick<Flow, 'changes' | 'transform'>,
  { updates, deletes }: { readonly updates: number; readonly deletes: number },
): AddedBill {
  const persons = changes * Math.max(0, 1 - updates - deletes)
  const openings = MONTH_HOURS * Math.max(1, Math.ceil(transform.concurrency))
  const gbMonths = (persons * PERSONS.keyBytes) / GB
  const parts: readonly Part[] = [
    { ...line('KMS, key', 1, 'key'), part: 'KMS, key that opens the keys', fixed: true },
    { ...line('CloudWatch, alarm', DEPLOYED.alarmMetrics.persons, 'metrics'), part: 'alarm of the keys', fixed: true },
    line('KMS, requests', openings * PERSONS.secrets, 'requests'),
    { ...line('DynamoDB, read', changes, 'units'), part: 'DynamoDB, reading keys' },
    { ...line('DynamoDB, write', persons, 'units'), part: 'DynamoDB, keys of new persons' },
    { ...line('DynamoDB, kept', gbMonths, 'GB-months'), part: 'DynamoDB, the keys of the first month' },
    { ...line('DynamoDB, backup', gbMonths, 'GB-months'), part: 'DynamoDB, their backup' },
    {
      ...line('Lambda, arm64', transform.gbSeconds * (PERSONS.timesLonger - 1), 'GB-seconds'),
      part: 'transform, sealing',
    },
  ]
  return { parts, usdAMonth: sum(parts) }
}
