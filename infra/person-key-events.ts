import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events'
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import type { PersonKeys } from './person-keys.js'

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
 * protection, or a copy of it, in which keys live on that were destroyed. CloudWatch counts none of it, so it is told
 * as CloudTrail sees it: the account has to have a trail of management events.
 */
export class PersonKeyEvents extends Construct {
  constructor(scope: Construct, id: string, { keys, topic }: PersonKeyEventsProps) {
    super(scope, id)
    const { tableName, tableArn } = keys.table
    const rule = new Rule(this, 'Touched', {
      description: 'Itemtrail: something was done to the keys of persons themselves',
      eventPattern: {
        source: ['aws.kms', 'aws.dynamodb'],
        detailType: ['AWS API Call via CloudTrail'],
        detail: {
          $or: [
            { eventName: KMS_EVENTS, resources: { ARN: [keys.secretsKey.keyArn] } },
            { eventName: TABLE_EVENTS, requestParameters: { tableName: [tableName, tableArn] } },
            { eventName: TABLE_EVENTS, requestParameters: { tableArn: [tableArn] } },
            { eventName: TABLE_EVENTS, requestParameters: { resourceArn: [tableArn] } },
            { eventName: ['RestoreTableToPointInTime'], requestParameters: { sourceTableName: [tableName] } },
            { eventName: ['RestoreTableToPointInTime'], requestParameters: { sourceTableArn: [tableArn] } },
          ],
        },
      },
    })
    const what = EventField.fromPath('$.detail.eventName')
    const who = EventField.fromPath('$.detail.userIdentity.arn')
    const message = RuleTargetInput.fromText(
      `[page] archive: ${what} of the keys of persons, by ${who}. docs/runbook.md, ${KEYS_TOUCHED}`,
    )
    rule.addTarget(new SnsTopic(topic, { message }))
  }
}
