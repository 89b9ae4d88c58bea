import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import type { PersonKeys } from './person-keys.js'
import { tellOfEvents } from './told-events.js'

const KEYS_TOUCHED = 'person-keys-touched'

export interface PersonKeyEventsProps {
  readonly keys: PersonKeys
  readonly topic: ITopic
}

const KMS_EVENTS = ['DisableKey', 'PutKeyPolicy', 'ScheduleKeyDeletion']
const TABLE_EVENTS = [
  'CreateBackup',
  'DeleteResourcePolicy',
  'DeleteTable',
  'ExportTableToPointInTime',
  'PutResourcePolicy',
  'UpdateContinuousBackups',
  'UpdateTable',
]

/**
 * Tells of whatever is done to the keys of persons themselves: a key that is to be deleted, a table that loses its
 * protection, or a copy of it, in which keys live on that were destroyed.
 */
export class PersonKeyEvents extends Construct {
  constructor(scope: Construct, id: string, { keys, topic }: PersonKeyEventsProps) {
    super(scope, id)
    const { tableName, tableArn } = keys.table
    tellOfEvents(this, {
      subject: 'the keys of persons themselves',
      heading: KEYS_TOUCHED,
      source: ['aws.kms', 'aws.dynamodb'],
      patterns: [
        { eventName: KMS_EVENTS, resources: { ARN: [keys.secretsKey.keyArn] } },
        { eventName: TABLE_EVENTS, requestParameters: { tableName: [tableName, tableArn] } },
        { eventName: TABLE_EVENTS, requestParameters: { tableArn: [tableArn] } },
        { eventName: TABLE_EVENTS, requestParameters: { resourceArn: [tableArn] } },
        { eventName: ['RestoreTableToPointInTime'], requestParameters: { sourceTableName: [tableName] } },
        { eventName: ['RestoreTableToPointInTime'], requestParameters: { sourceTableArn: [tableArn] } },
      ],
      topic,
    })
  }
}
