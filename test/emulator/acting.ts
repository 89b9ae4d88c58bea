/** People at work on the world's archive: roles taken on, commands as they are typed. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Environment, ROOT } from './emulator.js'
import { type Ended, mustRun, runProgram } from './stack.js'
import { outputOf, type World } from './world.js'

const ITEMTRAIL = [process.execPath, join(ROOT, 'dist', 'cli', 'itemtrail.js')]

/** The folder that people work in; the deployed `itemtrail.config.json` is there. */
export const deskOf = ({ folder }: World): string => join(folder, 'desk')

/** Runs `itemtrail` as somebody, in the folder that people work in. */
export function itemtrail(world: World, argv: readonly string[], env: Environment = world.environment): Promise<Ended> {
  return runProgram([...ITEMTRAIL, ...argv], env, deskOf(world))
}

/** What a call of `aws` answers, parsed. */
export async function aws(world: World, argv: readonly string[], env: Environment = world.environment) {
  // version 1 of the command goes by an old name of this service, whatever the environment says
  const endpoint = argv[0] === 'sqs' ? ['--endpoint-url', `${env.AWS_ENDPOINT_URL}`] : []
  const out = await mustRun(['aws', ...argv, ...endpoint, '--output', 'json'], env, deskOf(world))
  return out.trim() === '' ? undefined : JSON.parse(out)
}

interface Taken {
  readonly Credentials: {
    readonly AccessKeyId: string
    readonly SecretAccessKey: string
    readonly SessionToken: string
  }
}

/** The environment of whoever took on a role. */
export async function takeOn(world: World, arn: string): Promise<Environment> {
  const { Credentials }: Taken = await aws(world, [
    'sts',
    'assume-role',
    '--role-arn',
    arn,
    '--role-session-name',
    'me',
  ])
  const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials
  return {
    ...world.environment,
    AWS_ACCESS_KEY_ID: AccessKeyId,
    AWS_SECRET_ACCESS_KEY: SecretAccessKey,
    AWS_SESSION_TOKEN: SessionToken,
  }
}

/** Whoever took on the role of an output, `QueryUserRole` for one. */
export const inRole = (world: World, output: string): Promise<Environment> => takeOn(world, outputOf(world, output))

let administrators = 0

/** An administrator of the account, who may everything that no policy of a resource denies him. */
export async function asAdministrator(world: World): Promise<Environment> {
  const name = `admin-${process.pid}-${administrators++}`
  const trust = { Effect: 'Allow', Principal: { AWS: '000000000000' }, Action: 'sts:AssumeRole' }
  const all = { Effect: 'Allow', Action: '*', Resource: '*' }
  const policy = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  const created = await aws(world, [
    ...['iam', 'create-role', '--role-name', name],
    ...['--assume-role-policy-document', policy(trust)],
  ])
  const inline = ['--policy-name', 'all', '--policy-document', policy(all)]
  await aws(world, ['iam', 'put-role-policy', '--role-name', name, ...inline])
  return takeOn(world, created.Role.Arn)
}

/** A copy of the archive's bucket, made by whoever may, in a folder of the world. */
export async function copyArchive(world: World, env: Environment, name: string): Promise<string> {
  const copy = join(world.folder, name)
  mkdirSync(copy, { recursive: true })
  await mustRun(['aws', 's3', 'sync', '--quiet', `s3://${outputOf(world, 'ArchiveBucket')}`, copy], env, world.folder)
  return copy
}

/** What became of each attempt: `done`, or the error's name. */
export async function outcomes(attempts: Readonly<Record<string, () => Promise<unknown>>>) {
  const entries = Object.entries(attempts).map(async ([name, attempt]) => {
    const outcome = await attempt().then(
      () => 'done',
      (error: Error) => error.name,
    )
    return [name, outcome] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}
