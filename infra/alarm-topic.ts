import { Stack } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Topic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'

/** Told of every alarm. */
export class AlarmTopic extends Topic {
  constructor(scope: Construct, id: string, props: { readonly key: IKey }) {
    super(scope, id, { displayName: 'Itemtrail alarms', masterKey: props.key, enforceSSL: true })
    // a topic with a policy of its own has lost the default one, by which alarms were let in
    const { partition, region, account } = Stack.of(this)
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'Alarms',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topicArn],
        conditions: { ArnLike: { 'aws:SourceArn': `arn:${partition}:cloudwatch:${region}:${account}:alarm:*` } },
      }),
    )
  }
}
