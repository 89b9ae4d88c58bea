import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import type { CallerTrail } from './caller-trail.js'
import { tellOfEvents } from './told-events.js'

export interface TrailEventsProps {
  readonly callers: CallerTrail
  readonly topic: ITopic
}

const TRAIL_EVENTS = ['DeleteTrail', 'PutEventSelectors', 'StopLogging', 'UpdateTrail']
const BUCKET_EVENTS = ['DeleteBucketPolicy', 'PutBucketLifecycle', 'PutBucketPolicy']

/**
 * Tells of whatever ends or narrows the trail of callers: one that logs no more looks like a table that nobody writes
 * to.
 */
export class TrailEvents extends Construct {
  constructor(scope: Construct, id: string, { callers: { trail, bucket }, topic }: TrailEventsProps) {
    super(scope, id)
    // people name it either way
    const names = [trail.ref, trail.attrArn]
    tellOfEvents(this, {
      subject: 'the trail of callers',
      heading: 'trail-touched',
      source: ['aws.cloudtrail', 'aws.s3'],
      patterns: [
        { eventName: TRAIL_EVENTS, requestParameters: { name: names } },
        { eventName: TRAIL_EVENTS, requestParameters: { trailName: names } },
        { eventName: BUCKET_EVENTS, requestParameters: { bucketName: [bucket.bucketName] } },
      ],
      topic,
    })
  }
}
