/** Whether somebody hears of alarms: a topic takes what it is told, and hands it to whoever confirmed. */
import { GetTopicAttributesCommand, type SNSClient } from '@aws-sdk/client-sns'
import { outputsOf } from '../aws/stack-outputs.js'
import { attempt } from './attempt.js'
import type { DeployedFact, StackFacts, TopicFacts } from './deployed-facts.js'
import { type Check, judged, known, noted } from './judgement.js'

/** Reads the topic of alarms; undefined where it is not the stack's own, whose settings are somebody else's. */
export async function readAlarmTopic(
  client: SNSClient,
  { outputs, resources }: Pick<StackFacts, 'outputs' | 'resources'>,
): Promise<DeployedFact<TopicFacts> | undefined> {
  const [TopicArn] = outputsOf(outputs, 'AlarmTopicArn')
  if (!resources.some(({ type, physicalId }) => type === 'AWS::SNS::Topic' && physicalId === TopicArn)) return undefined
  return attempt(async () => {
    const { Attributes = {} } = await client.send(new GetTopicAttributesCommand({ TopicArn }))
    return { confirmed: Number(Attributes.SubscriptionsConfirmed), pending: Number(Attributes.SubscriptionsPending) }
  })
}

const PROMISED = 'a subscription that is confirmed'

export const TOPIC_CHECKS: readonly Check<{
  readonly topic: DeployedFact<TopicFacts>
  /** Who the configuration says is to hear. */
  readonly notify: readonly string[]
}>[] = [
  {
    name: 'who hears',
    todo: 'confirm by the link in the mail that SNS sent, or subscribe somebody else: aws sns subscribe',
    judge: ({ topic, notify }) =>
      known(topic, PROMISED, ({ confirmed, pending }) => {
        const waiting = pending === 0 ? '' : `, ${pending} not confirmed`
        const found = `${confirmed} confirmed${waiting}`
        // nobody promised that somebody hears where nobody was named
        if (confirmed === 0) return notify.length > 0 ? judged(false, found, PROMISED) : noted('nobody', PROMISED)
        return pending > 0 ? noted(found, PROMISED) : judged(true, found, PROMISED)
      }),
  },
]
