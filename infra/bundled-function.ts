import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Duration, FileSystem, RemovalPolicy, type Size, Tags } from 'aws-cdk-lib'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { shortened } from '../transform/table-names.js'
import { acknowledgeWildcards } from './acknowledged-findings.js'

/** The functions that `npm run build` bundles, one file each. */
export type Bundle =
  | 'transform'
  | 'sealing-transform'
  | 'make-key-store'
  | 'forwarder'
  | 'lock-objects'
  | 'watch-refused'
  | 'compact-table'
  | 'canary'
  | 'reconcile-table'
  | 'seal-archive'
  | 'check-journal'
  | 'keep-configuration'
  | 'kinesis-destination'

export interface BundledFunctionProps {
  /** Which of the prebuilt bundles it runs. */
  readonly bundle: Bundle
  /** What it does, for people in the console. */
  readonly description: string
  readonly timeout: Duration
  readonly memoryMb: number
  /** Room for files. @default - Lambda's own, half a gigabyte */
  readonly disk?: Size
  /** Encrypts its log. */
  readonly key: IKey
  /** So many calls at once, and no more. @default - as many as the account has left */
  readonly reservedConcurrency?: number
  /** Variables that the code reads at its start. @default - none */
  readonly environment?: { readonly [name: string]: string }
  /** What its role may do besides writing its log. @default - nothing */
  readonly statements?: readonly PolicyStatement[]
  /** Tags of its role, by which policies of others tell it. @default - none */
  readonly tags?: { readonly [name: string]: string }
  /** Text files that travel beside the code, by name. @default - none */
  readonly files?: { readonly [name: string]: string }
}

/**
 * A prebuilt bundle on Node 24 and arm64, with a role of its own that may do what is listed and nothing else. The
 * policies are part of the role, so whatever needs the role finds it complete.
 */
export class BundledFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, props: BundledFunctionProps) {
    const {
      bundle,
      timeout,
      memoryMb,
      disk,
      key,
      reservedConcurrency,
      environment = {},
      statements = [],
      files = {},
      tags = {},
    } = props
    // Lambda takes 256 characters, and the name of a table may have 255
    const description = shortened(props.description, 256)
    const logGroup = new LogGroup(scope, `${id}Log`, {
      encryptionKey: key,
      retention: RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const log = new PolicyStatement({
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    })
    const role = new Role(scope, `${id}Role`, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `${description}: what its function may do`,
      inlinePolicies: { function: new PolicyDocument({ statements: [log, ...statements] }) },
    })
    for (const [name, value] of Object.entries(tags)) Tags.of(role).add(name, value)
    acknowledgeWildcards(
      role,
      statements,
      'Objects are named as they come, or the action can be limited to nothing smaller.',
    )
    super(scope, id, {
      code: Code.fromAsset(assetFolder(bundle, files)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      description,
      timeout,
      memorySize: memoryMb,
      ...(disk !== undefined && { ephemeralStorageSize: disk }),
      ...(reservedConcurrency !== undefined && { reservedConcurrentExecutions: reservedConcurrency }),
      environment,
      logGroup,
      role: role.withoutPolicyUpdates(),
    })
  }
}

/** A bundle and the files beside it as a folder of its own, which CDK then takes by its content. */
function assetFolder(bundle: Bundle, files: { readonly [name: string]: string }): string {
  const folder = FileSystem.mkdtemp('itemtrail-')
  cpSync(dirname(bundlePath(bundle)), folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** Where the bundle is: beside the compiled `dist/infra`, or in `dist` beside the sources. */
function bundlePath(bundle: Bundle): string {
  const paths = ['../lambda/', '../dist/lambda/'].map(folder =>
    fileURLToPath(new URL(`${folder}${bundle}/index.mjs`, import.meta.url)),
  )
  const found = paths.find(path => existsSync(path))
  if (found === undefined) throw new Error(`function bundle ${paths[1]} is not there, npm run build makes it`)
  return found
}
