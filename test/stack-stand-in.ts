/** A stack on loopback for commands that take `--stack`: CloudFormation, S3, CloudWatch, and Athena over a folder. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { vi } from 'vitest'
import { DiskArchive } from '../store/folder.js'
import { type AthenaServer, startAthenaServer } from './athena-server.js'
import { type CloudWatchServer, startCloudWatchServer } from './cloudwatch-server.js'
import { describedStack } from './described-stack.js'
import { answerFromFolder } from './desk-athena.js'
import { type Loopback, startLoopback } from './loopback.js'
import { type S3Server, startS3Server } from './s3-server.js'

/** A resource as CloudFormation lists it. */
export interface ListedResource {
  readonly type: string
  readonly physicalId: string
}

export interface StackStandIn {
  readonly athena: AthenaServer
  readonly s3: S3Server
  readonly cloudWatch: CloudWatchServer
  readonly outputs: Record<string, string>
  /** What each stack is made of, by what CloudFormation calls the stack. */
  readonly stacks: Map<string, readonly ListedResource[]>
  /** What CloudFormation was asked, in its order. */
  readonly actions: string[]
  /** Puts the objects of an archive in a folder into its bucket, and lets Athena answer from the folder. */
  upload(root: string): Promise<void>
  /** Points the SDK here, until `vi.unstubAllEnvs`. */
  stub(): void
  stop(): Promise<unknown>
}

export const STACK = 'Itemtrail'
export const BUCKET = 'archive-bucket'

export async function startStackStandIn(): Promise<StackStandIn> {
  const [athena, s3, cloudWatch] = [await startAthenaServer(), await startS3Server(), await startCloudWatchServer()]
  athena.states = []
  const outputs: Record<string, string> = {
    AuditArchiveBucket: BUCKET,
    AuditRefusedBucket: 'refused-bucket',
    AuditDatabaseName: 'audit',
    AuditWorkgroupName: 'itemtrail',
    AuditTablesOrdersReplayStream: 'replay',
  }
  const stacks = new Map<string, readonly ListedResource[]>([[STACK, []]])
  const actions: string[] = []
  const cloudFormation = await startLoopback((_, body, response) => {
    const asked = new URLSearchParams(body.toString())
    const [name, action] = [asked.get('StackName') ?? '', asked.get('Action')]
    actions.push(`${action}`)
    if (!stacks.has(name)) {
      const error = `<Error><Code>ValidationError</Code><Message>Stack with id ${name} does not exist</Message></Error>`
      return response.writeHead(400).end(`<ErrorResponse>${error}</ErrorResponse>`)
    }
    response.writeHead(200, { 'content-type': 'text/xml' })
    return response.end(action === 'DescribeStacks' ? describedStack(name, outputs) : listResources(stacks.get(name)))
  })
  const servers: Record<string, Loopback> = {
    ATHENA: athena,
    S3: s3,
    CLOUDWATCH: cloudWatch,
    CLOUDFORMATION: cloudFormation,
  }
  return {
    ...{ athena, s3, cloudWatch, outputs, stacks, actions },
    upload: async root => {
      athena.answer = answerFromFolder(root, BUCKET)
      for (const key of await new DiskArchive(root).list(''))
        if (!key.startsWith('.')) s3.add({ key, bucket: BUCKET, body: readFileSync(join(root, key)) })
    },
    stub: () => {
      for (const [name, { endpoint }] of Object.entries(servers)) vi.stubEnv(`AWS_ENDPOINT_URL_${name}`, endpoint)
      for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, 'loopback')
      vi.stubEnv('AWS_REGION', 'us-east-1')
    },
    stop: () => Promise.all(Object.values(servers).map(server => server.stop())),
  }
}

function listResources(resources: readonly ListedResource[] = []): string {
  const members = resources.map(
    ({ type, physicalId }, i) =>
      `<member><LogicalResourceId>R${i}</LogicalResourceId><PhysicalResourceId>${physicalId}</PhysicalResourceId><ResourceType>${type}</ResourceType></member>`,
  )
  return `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>${members.join('')}</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`
}
