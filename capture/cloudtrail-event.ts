/** The events that CloudTrail keeps of calls to DynamoDB: which there are, and what of each is kept for questions. */
import { z } from 'zod'
import { checkValue, FileError, record, text } from '../config/gate.js'
import { parseInstant } from '../transform/instant.js'
import type { JsonObject } from '../transform/json.js'

/**
 * Columns of events as Athena reads them, with Glue's types: those that are asked for of AWS's own table for CloudTrail
 * (Athena user guide, "Create the table for CloudTrail logs"), and `sourceidentity`. A request's parameters are a text.
 */
export const EVENT_COLUMNS: readonly { readonly name: string; readonly type: string; readonly meaning: string }[] = [
  { name: 'eventid', type: 'string', meaning: 'identifies the event' },
  { name: 'eventtime', type: 'string', meaning: 'when the call ended, ISO 8601 in UTC, in whole seconds' },
  { name: 'eventsource', type: 'string', meaning: 'dynamodb.amazonaws.com' },
  { name: 'eventname', type: 'string', meaning: 'what was called' },
  { name: 'awsregion', type: 'string', meaning: 'the region' },
  {
    name: 'useridentity',
    type: 'struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,accesskeyid:string,username:string,sessioncontext:struct<sessionissuer:struct<type:string,principalid:string,arn:string,accountid:string,username:string>,sourceidentity:string>>',
    meaning: 'who called',
  },
  { name: 'sourceipaddress', type: 'string', meaning: 'from where' },
  { name: 'useragent', type: 'string', meaning: 'with what' },
  { name: 'errorcode', type: 'string', meaning: 'why the call failed; null where it did not' },
  { name: 'errormessage', type: 'string', meaning: 'the same in words' },
  { name: 'requestparameters', type: 'string', meaning: 'what was asked, as JSON: keys, and names of attributes' },
  { name: 'requestid', type: 'string', meaning: 'identifies the request' },
  { name: 'readonly', type: 'string', meaning: 'true where nothing can have been written' },
  {
    name: 'resources',
    type: 'array<struct<arn:string,accountid:string,type:string>>',
    meaning: 'the tables that were called',
  },
  { name: 'recipientaccountid', type: 'string', meaning: 'the account whose trail has it' },
  { name: 'sharedeventid', type: 'string', meaning: 'of one call that two accounts have, the same in both' },
]

/** The partition of an event, `YYYY/MM/DD`. */
export const EVENT_DAY = 'day'

/** An event's values by column; a missing one is null. */
export type CallEvent = Readonly<Record<string, unknown>>

/** True of events of DynamoDB, the only ones that a question reads. */
export function isOfDynamoDb({ eventSource }: JsonObject): boolean {
  return eventSource === 'dynamodb.amazonaws.com'
}

const maybe = z.string('a text').nullish()
const flag = z.union([z.boolean(), z.enum(['true', 'false'])], 'true or false').nullish()

const EVENT = record({
  eventVersion: z.string('1.x').regex(/^1\.\d+$/, '1.x'),
  eventID: text,
  eventTime: z.string('a time in UTC').refine(isTime, 'a time in UTC such as 2026-11-19T12:00:00Z'),
  eventName: text,
  awsRegion: maybe,
  userIdentity: record({
    type: maybe,
    principalId: maybe,
    arn: maybe,
    accountId: maybe,
    invokedBy: maybe,
    accessKeyId: maybe,
    userName: maybe,
    sessionContext: record({
      sessionIssuer: record({
        type: maybe,
        principalId: maybe,
        arn: maybe,
        accountId: maybe,
        userName: maybe,
      }).nullish(),
      sourceIdentity: maybe,
    }).nullish(),
  }).nullish(),
  sourceIPAddress: maybe,
  userAgent: maybe,
  errorCode: maybe,
  errorMessage: maybe,
  requestID: maybe,
  readOnly: flag,
  resources: z
    .array(record({ ARN: maybe, arn: maybe, accountId: maybe, type: maybe }), 'a list of resources')
    .nullish(),
  recipientAccountId: maybe,
  sharedEventID: maybe,
})

function isTime(value: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/.test(value) && parseInstant(value) !== undefined
}

/**
 * An event as questions read it. `parameters` is the very text of its `requestParameters`, whose numbers may have more
 * digits than a double. Throws a `FileError` for what CloudTrail would not write.
 */
export function readEvent(value: JsonObject, parameters: string | undefined, file: string): CallEvent {
  const event = checkValue(value, EVENT, file)
  if (parameters === undefined && (value.requestParameters ?? null) !== null)
    throw new FileError(file, ['requestParameters is no object'])
  const { userIdentity, resources } = event
  return {
    eventid: event.eventID,
    eventtime: event.eventTime,
    eventsource: 'dynamodb.amazonaws.com',
    eventname: event.eventName,
    awsregion: event.awsRegion ?? null,
    useridentity: userIdentity === undefined ? null : lowerNames(userIdentity),
    sourceipaddress: event.sourceIPAddress ?? null,
    useragent: event.userAgent ?? null,
    errorcode: event.errorCode ?? null,
    errormessage: event.errorMessage ?? null,
    requestparameters: parameters ?? null,
    requestid: event.requestID ?? null,
    readonly: event.readOnly === undefined || event.readOnly === null ? null : String(event.readOnly),
    resources:
      resources?.map(({ ARN, arn, accountId, type }) => ({
        arn: ARN ?? arn ?? null,
        accountid: accountId ?? null,
        type: type ?? null,
      })) ?? null,
    recipientaccountid: event.recipientAccountId ?? null,
    sharedeventid: event.sharedEventID ?? null,
    [EVENT_DAY]: event.eventTime.slice(0, 10).replaceAll('-', '/'),
  }
}

/** Names in lower case, as Glue has them, however deep. */
function lowerNames(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.toLowerCase(), lowerNames(inner)]))
}
