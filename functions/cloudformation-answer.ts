import type { CloudFormationCustomResourceEvent, CloudFormationCustomResourceResponse } from 'aws-lambda'

/** What came of a request of CloudFormation's. */
export type ResourceOutcome = { readonly Status: 'SUCCESS' } | { readonly Status: 'FAILED'; readonly Reason: string }

/** An answer to CloudFormation has 4,096 bytes at most; this much of a reason leaves room for the rest. */
const REASON_CHARACTERS = 1_000

/** What CloudFormation is told of an error. */
export function failedBy(error: unknown): ResourceOutcome {
  return { Status: 'FAILED', Reason: `${error}`.slice(0, REASON_CHARACTERS) }
}

/**
 * Answers a request for a custom resource. Throws when CloudFormation did not get the answer: Lambda then calls once
 * more, and what is done is only answered again.
 */
export async function answerCloudFormation(
  { ResponseURL, StackId, RequestId, LogicalResourceId }: CloudFormationCustomResourceEvent,
  PhysicalResourceId: string,
  outcome: ResourceOutcome,
): Promise<void> {
  const body: CloudFormationCustomResourceResponse = {
    ...outcome,
    StackId,
    RequestId,
    LogicalResourceId,
    PhysicalResourceId,
  }
  // the URL is signed for an empty content type
  const headers = { 'content-type': '' }
  const response = await fetch(ResponseURL, { method: 'PUT', headers, body: Buffer.from(JSON.stringify(body)) })
  if (!response.ok) throw new Error(`CloudFormation did not take the answer: ${response.status}`)
}
