/**
 * What CloudTrail would have kept of the calls behind the last days of the bundled orders, in the form that AWS
 * documents: made up from the changes themselves, which DynamoDB Local made without it. Run by
 * `npx tsx examples/orders/calls.ts`.
 */
import { hash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const ACCOUNT = '123456789012'
const FROM = Date.parse('2026-11-18T00:00:00Z') / 1000
const TABLE = `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/Orders`

type Image = Readonly<Record<string, { readonly S?: string }>>

interface StreamRecord {
  readonly eventID: string
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE'
  readonly userIdentity?: object
  readonly dynamodb: {
    readonly ApproximateCreationDateTime: number
    readonly Keys: Image
    readonly NewImage?: Image
    readonly OldImage?: Image
  }
}

/** The call that made a change. Whoever is named in the item came by a role: people by `ops`, all others by their own. */
function callOf({ eventID, eventName, dynamodb }: StreamRecord): object {
  const { ApproximateCreationDateTime: seconds, Keys, NewImage, OldImage } = dynamodb
  const id = hash('sha256', `call of ${eventID}`)
  const key = Object.fromEntries(Object.entries(Keys).map(([name, value]) => [name, value.S]))
  return {
    eventVersion: '1.11',
    userIdentity: identityOf((NewImage ?? OldImage)?.updated_by?.S ?? 'svc-orders'),
    eventTime: new Date(seconds * 1000).toISOString().replace('.000', ''),
    eventSource: 'dynamodb.amazonaws.com',
    eventName: { INSERT: 'PutItem', MODIFY: 'UpdateItem', REMOVE: 'DeleteItem' }[eventName],
    awsRegion: 'us-east-1',
    sourceIPAddress: '192.0.2.17',
    userAgent: 'aws-sdk-js/3.1056.0',
    requestParameters: { tableName: 'Orders', key, ...parametersOf(eventName, NewImage ?? {}, OldImage ?? {}) },
    responseElements: null,
    requestID: id.slice(0, 52).toUpperCase(),
    eventID: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5'),
    readOnly: false,
    resources: [{ accountId: ACCOUNT, type: 'AWS::DynamoDB::Table', ARN: TABLE }],
    eventType: 'AwsApiCall',
    apiVersion: '2012-08-10',
    managementEvent: false,
    recipientAccountId: ACCOUNT,
    eventCategory: 'Data',
  }
}

function parametersOf(name: StreamRecord['eventName'], after: Image, before: Image): object {
  if (name === 'REMOVE') return {}
  if (name === 'INSERT') return { item: Object.keys(after).sort() }
  const changed = [...new Set([...Object.keys(after), ...Object.keys(before)])]
    .filter(attribute => JSON.stringify(after[attribute]) !== JSON.stringify(before[attribute]))
    .sort()
  const [set, removed] = [changed.filter(attribute => attribute in after), changed.filter(it => !(it in after))]
  const placeholder = (attribute: string) => `#a${changed.indexOf(attribute)}`
  return {
    updateExpression: [
      ...(set.length > 0 ? [`SET ${set.map(it => `${placeholder(it)} = :${changed.indexOf(it)}`).join(', ')}`] : []),
      ...(removed.length > 0 ? [`REMOVE ${removed.map(placeholder).join(', ')}`] : []),
    ].join(' '),
    expressionAttributeNames: Object.fromEntries(changed.map(attribute => [placeholder(attribute), attribute])),
  }
}

function identityOf(writer: string): object {
  const isPerson = writer.includes('@')
  const [role, session] = isPerson
    ? ['ops', writer]
    : [writer.replaceAll(/[^\w+=,.@-]/g, '-').slice(0, 60), 'i-0a1b2c3d']
  return {
    type: 'AssumedRole',
    principalId: `AROAEXAMPLE:${session}`,
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/${session}`,
    accountId: ACCOUNT,
    accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: 'AROAEXAMPLE',
        arn: `arn:aws:iam::${ACCOUNT}:role/${role}`,
        accountId: ACCOUNT,
        userName: role,
      },
      ...(isPerson && { sourceIdentity: writer }),
    },
  }
}

const days = new Map<string, object[]>()
for (const line of gunzipSync(readFileSync(join(HERE, 'orders.jsonl.gz')))
  .toString()
  .trimEnd()
  .split('\n')) {
  const record = JSON.parse(line) as StreamRecord
  const { ApproximateCreationDateTime: seconds } = record.dynamodb
  if (seconds < FROM || record.userIdentity !== undefined) continue
  const day = new Date(seconds * 1000).toISOString().slice(0, 10)
  days.set(day, [...(days.get(day) ?? []), callOf(record)])
}
for (const [day, Records] of days) {
  const name = `${ACCOUNT}_CloudTrail_us-east-1_${day.replaceAll('-', '')}T2359Z_Mu0KsOhtH1ar15ZZ.json.gz`
  const file = join(HERE, 'cloudtrail/AWSLogs', ACCOUNT, 'CloudTrail/us-east-1', day.replaceAll('-', '/'), name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, gzipSync(JSON.stringify({ Records }), { level: 9 }))
}
