import { CfnOutput } from 'aws-cdk-lib'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'
import type { ArchiveBucket } from './archive-bucket.js'
import type { CallerTrail } from './caller-trail.js'
import type { Canary } from './canary.js'
import type { DerivedStore } from './derived-store.js'
import type { Journal } from './journal.js'
import type { QueryWorkgroup } from './query-workgroup.js'
import type { RefusedBucket } from './refused-bucket.js'
import type { Roles } from './roles.js'

/** The parts of an archive that a stack tells of. */
interface ToldParts extends Construct {
  readonly archive: ArchiveBucket
  readonly refused: RefusedBucket
  readonly derived?: DerivedStore
  readonly journal?: Journal
  readonly callers?: CallerTrail
  readonly canary?: Canary
  readonly workgroup: QueryWorkgroup
  readonly databaseName: string
  readonly roles: Roles
  readonly alarmTopic: ITopic
}

/** Tells what an archive is made of, by which `--stack` finds it. */
export function addOutputs(told: ToldParts): void {
  const { archive, refused, derived, journal, callers, canary, workgroup, databaseName, roles, alarmTopic } = told
  const outputs = {
    ArchiveBucket: [archive.bucket.bucketName, 'the archive'],
    RefusedBucket: [refused.bucketName, 'what never reached Firehose'],
    ...(derived && { DerivedBucket: [derived.bucket.bucketName, 'what is made from the archive'] }),
    DatabaseName: [databaseName, 'Glue database'],
    WorkgroupName: [workgroup.name, 'Athena workgroup'],
    AuditorWorkgroup: [workgroup.auditors.ref, 'Athena workgroup of auditors'],
    QueryUserRole: [roles.queryUser.roleArn, 'asks questions'],
    AuditorRole: [roles.auditor.roleArn, 'asks questions and reads the evidence'],
    OperatorRole: [roles.operator.roleArn, 'sends refused records again, checks what is deployed, asks questions'],
    BaselineRole: [roles.baseliner.roleArn, 'takes baselines and compares the archive with its tables'],
    RestorerRole: [roles.restorer.roleArn, 'writes the tables, to put items back'],
    ...(journal && {
      JournalOrigin: [journal.origin, "the journal's name"],
      SealKeyArn: [journal.keyArn, 'signs the journal'],
      CheckpointTopicArn: [journal.checkpoints.topicArn, 'told the checkpoint of each day'],
    }),
    ...(callers && { CallersBucket: [callers.bucket.bucketName, 'who called, as CloudTrail keeps it'] }),
    ...(canary && { CanaryTable: [canary.table.tableName, 'the table of which each write is looked for'] }),
    AlarmTopicArn: [alarmTopic.topicArn, 'told of every alarm'],
  } as const
  for (const [id, [value, description]] of Object.entries(outputs)) new CfnOutput(told, id, { value, description })
}
