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
 * events.
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
  rule.addTarget(new SnsTopic(topic, { message }))
}
