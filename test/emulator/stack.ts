/** A stack on the emulator: the app as it is, synthesised and deployed by CDK's own command, and who works with it. */
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'
import { type Environment, ROOT } from './emulator.js'

/** A program's end. */
export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a program with an environment that holds nothing else, and never throws for how it ends. */
export function runProgram(
  [program = '', ...args]: readonly string[],
  env: Environment,
  cwd: string,
  minutes = 4,
): Promise<Ended> {
  const options = { cwd, env, maxBuffer: 2 ** 28, timeout: minutes * 60_000 }
  return new Promise(settle => {
    execFile(program, args, options, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 99
      settle({ code, out, err: code === 99 ? `${err}\n${error?.message}` : err })
    })
  })
}

/** The same, which throws where it ends with another code than 0. */
export async function mustRun(argv: readonly string[], env: Environment, cwd: string): Promise<string> {
  const { code, out, err } = await runProgram(argv, env, cwd)
  if (code !== 0)
    throw new Error(`${argv.slice(0, 6).join(' ')} ended with ${code}:\n${out.slice(-3000)}${err.slice(-3000)}`)
  return out
}

const CDK = join(ROOT, 'node_modules', '.bin', 'cdk')

/** Synthesises the app of a configuration into a folder. */
export async function synthesise(configuration: string, output: string, env: Environment): Promise<void> {
  const options = ['--quiet', '--no-notices', '--output', output, '-c', `config=${configuration}`]
  await mustRun([CDK, 'synth', ...options], env, ROOT)
}

/** Deploys every stack of a folder, as `cdk deploy` does. */
export async function deploy(assembly: string, env: Environment): Promise<void> {
  const options = ['--all', '--app', assembly, '--require-approval', 'never', '--no-notices']
  await mustRun([CDK, 'deploy', ...options], env, assembly)
}

/** Removes every stack of a folder, as `cdk destroy` does. */
export async function destroy(assembly: string, env: Environment): Promise<void> {
  await mustRun([CDK, 'destroy', '--all', '--force', '--app', assembly, '--no-notices'], env, assembly)
}

/** The differences that `cdk diff` counts. */
export async function differences(assembly: string, env: Environment): Promise<number> {
  const { out, err } = await runProgram([CDK, 'diff', '--app', assembly, '--no-notices'], env, assembly)
  const [, count] = /Number of stacks with differences: (\d+)/.exec(`${out}${err}`) ?? []
  if (count === undefined) throw new Error(`cdk diff told no number:\n${out}${err}`)
  return Number(count)
}

/** Readies the account for CDK, from any folder that was synthesised. */
export async function bootstrap(assembly: string, env: Environment): Promise<void> {
  await mustRun([CDK, 'bootstrap', '--app', assembly, 'aws://000000000000/us-east-1', '--no-notices'], env, assembly)
}

/** A resource of a stack, or of one nested in it. */
export interface Deployed {
  /** Its logical id, behind those of the nested stacks that it is in. */
  readonly id: string
  readonly type: string
  readonly physical: string
}

/** How a client reaches the emulator as whoever has the environment. */
export function connectionOf(env: Environment) {
  return {
    endpoint: env.AWS_ENDPOINT_URL as string,
    region: 'us-east-1',
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID as string,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY as string,
      ...(env.AWS_SESSION_TOKEN !== undefined && { sessionToken: env.AWS_SESSION_TOKEN }),
    },
  }
}

/** Clients of whoever has the environment. */
export function clientsOf(env: Environment) {
  const connection = connectionOf(env)
  return {
    s3: new S3Client({ ...connection, forcePathStyle: true }),
    dynamodb: new DynamoDBClient(connection),
    cloudformation: new CloudFormationClient(connection),
  }
}

/** What is deployed of a stack, nested ones unfolded. */
export async function resourcesOf(stack: string, env: Environment, before = ''): Promise<readonly Deployed[]> {
  const { cloudformation: client } = clientsOf(env)
  const all: Deployed[] = []
  for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName: stack }))
    for (const { LogicalResourceId, ResourceType, PhysicalResourceId } of StackResourceSummaries) {
      const id = `${before}${LogicalResourceId}`
      const physical = `${PhysicalResourceId}`
      all.push({ id, type: `${ResourceType}`, physical })
      if (ResourceType === 'AWS::CloudFormation::Stack') all.push(...(await resourcesOf(physical, env, `${id}/`)))
    }
  return all
}

/** The keys below a prefix. */
export async function keysBelow(bucket: string, prefix: string, env: Environment): Promise<readonly string[]> {
  const keys: string[] = []
  const { s3: client } = clientsOf(env)
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }))
    keys.push(...Contents.map(({ Key }) => Key as string))
  return keys
}

/** Asks until an answer fits, and gives the last one that it got in time. */
export async function waitFor<T>(ask: () => Promise<T>, fits: (answer: T) => boolean, seconds = 60): Promise<T> {
  const until = Date.now() + seconds * 1000
  for (;;) {
    const answer = await ask()
    if (fits(answer) || Date.now() > until) return answer
    await sleep(500)
  }
}

/** Resources that the templates of a folder have, all stacks together, by type. */
export function declaredIn(assembly: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const name of readdirSync(assembly).filter(file => file.endsWith('template.json'))) {
    const { Resources } = JSON.parse(readFileSync(join(assembly, name), 'utf8')) as {
      Resources: Record<string, { Type: string }>
    }
    for (const { Type } of Object.values(Resources)) counts.set(Type, (counts.get(Type) ?? 0) + 1)
  }
  return counts
}

/** A folder below another with one file in it. */
export function writeInto(folder: string, name: string, text: string): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
