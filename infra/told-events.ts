import { Annotations } from 'aws-cdk-lib'
import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events'
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'

/** Calls that people are told of as they happen. */
export interface ToldEvents {
  /** What they are done to, in the words of a message. */
  readonly subject: string
  /** Its heading in the runbook. */
  readonly heading: string
  /** Services, as events name them. */
  readonly source: string[]
  /** Patterns of an event's detail, one of which fits. */
  readonly patterns: readonly object[]
  readonly topic: ITopic
}

/**
 * Tells of calls that CloudWatch counts nowhere, as CloudTrail sees them: the account has to have a trail of management
 * events. Warns where the topic is somebody else's, and nobody can tell here whether EventBridge may publish to it.
 */
export function tellOfEvents(scope: Construct, { subject, heading, source, patterns, topic }: ToldEvents): void {
  const rule = new Rule(scope, 'Touched', {
    description: `Itemtrail: something was done to ${subject}`,
    eventPattern: { source, detailType: ['AWS API Call via CloudTrail'], detail: { $or: patterns } },
  })
  const what = EventField.fromPath('$.detail.eventName')
  const who = EventField.fromPath('$.detail.userIdentity.arn')
  const message = RuleTargetInput.fromText(
    `[page] archive: ${what} of ${subject}, by ${who}. docs/runbook.md, ${heading}`,
  )
  // it is let in without a condition: to an encrypted topic EventBridge comes without the account that it acts for (SNS
  // developer guide, "Key management"), so that one which asks for it would let nothing through, and nothing would tell
  rule.addTarget(new SnsTopic(topic, { message }))
  if (topic.node.defaultChild === undefined)
    Annotations.of(scope).addWarningV2(
      `itemtrail:${heading}`,
      `topic ${topic.node.path} has to let events.amazonaws.com publish, by its policy and its key, each without a condition, or nobody hears of what is done to ${subject}`,
    )
}
