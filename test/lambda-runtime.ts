/**
 * Bundled functions run as Lambda would: one file, Node 24, a process of its own with a limit of memory and of time.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const VERSION = '24.9.0'
const CACHE = fileURLToPath(new URL('../.cache/node-24/', import.meta.url))
const INSTALLED = join(CACHE, VERSION)
const BOOTSTRAP = fileURLToPath(new URL('lambda-bootstrap.mjs', import.meta.url))

/** Bytes of an event, and of an answer, at most (developer guide, "Lambda quotas", and the service's own message). */
const MAX_EVENT_BYTES = 6 * 1024 * 1024
const MAX_ANSWER_BYTES = 6_291_556

/** Where a function's bundle is after `npm run build`. */
export function bundlePath(name: string): string {
  return fileURLToPath(new URL(`../dist/lambda/${name}/index.mjs`, import.meta.url))
}

/**
 * The Node 24 that Lambda has, from the npm package `node`; the first call on a machine downloads it (120 MB).
 * Undefined where it cannot be had.
 */
export async function findNode24(): Promise<string | undefined> {
  const path = join(INSTALLED, 'node_modules/node/bin/node')
  if (existsSync(path)) return path
  await mkdir(CACHE, { recursive: true })
  // beside the cache and moved in one step: an interrupted download leaves nothing that looks whole
  const download = await mkdtemp(join(CACHE, 'download-'))
  try {
    await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--prefix', download, `node@${VERSION}`])
    await rename(download, INSTALLED)
  } catch {
    // no network, or another process was quicker
  } finally {
    await rm(download, { recursive: true, force: true })
  }
  return existsSync(path) ? path : undefined
}

export interface InvocationOptions {
  /** Path of the bundle's file. */
  readonly bundle: string
  readonly event: object
  readonly environment?: Readonly<Record<string, string>>
  readonly memoryMb?: number
  readonly timeoutMs?: number
}

/** How an invocation ended and what it took. */
export interface Invocation {
  /** What the caller gets; undefined if there was an error. */
  readonly answer: unknown
  readonly answerBytes: number
  readonly error: { readonly errorType: string; readonly errorMessage: string } | undefined
  /** Standard output and standard error, as they would be in CloudWatch Logs. */
  readonly log: string
  /** Loading the bundle, which is the function's part of a cold start. */
  readonly loadMs: number
  readonly handlerMs: number
  readonly rssMb: number
}

/**
 * Calls a bundle's handler once, cold. Throws for what Lambda itself would end: too much memory, time, event or answer.
 */
export async function invokeBundle(node: string, options: InvocationOptions): Promise<Invocation> {
  const { bundle, event, environment = {}, memoryMb = 512, timeoutMs = 30_000 } = options
  const input = JSON.stringify({ event, context: contextOf(memoryMb), timeoutMs })
  if (JSON.stringify(event).length > MAX_EVENT_BYTES) throw new Error('event is larger than Lambda lets in')
  const child = spawn(node, [`--max-old-space-size=${memoryMb}`, BOOTSTRAP, bundle], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: { ...ENVIRONMENT, ...environment },
  })
  // a function that dies before it has read everything says so itself
  child.stdin.on('error', () => {}).end(input)
  const killer = setTimeout(() => child.kill('SIGKILL'), timeoutMs + STARTING_MS)
  const [output, errors, reported] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    buffer(child.stdio[3] as Readable),
    child.exitCode ?? once(child, 'exit'),
  ])
  clearTimeout(killer)
  const log = output + errors
  if (reported.length === 0) throw new Error(`function ended without an answer (${child.signalCode}):\n${log}`)
  const { answer, error, ...measured } = JSON.parse(reported.toString())
  const answerBytes = Buffer.byteLength(answer ?? '')
  if (answerBytes > MAX_ANSWER_BYTES) throw new Error(`answer of ${answerBytes} bytes is larger than Lambda lets out`)
  return { loadMs: 0, handlerMs: 0, ...measured, answer: answer && JSON.parse(answer), answerBytes, error, log }
}

/** For the process to start, before the function's own time begins. */
const STARTING_MS = 10_000

const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'loopback',
  AWS_SECRET_ACCESS_KEY: 'loopback',
  AWS_SESSION_TOKEN: 'loopback',
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  AWS_LAMBDA_FUNCTION_NAME: 'itemtrail-test',
  TZ: ':UTC',
}

function contextOf(memoryMb: number) {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: '$LATEST',
    functionName: 'itemtrail-test',
    memoryLimitInMB: String(memoryMb),
    logGroupName: '/aws/lambda/itemtrail-test',
    logStreamName: '2026/11/22/[$LATEST]7f1a2b3c4d5e6f708192a3b4c5d6e7f8',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:itemtrail-test',
    awsRequestId: '8f3f2c6e-2b0e-4c55-9f4c-9f1f0a1b2c3d',
  }
}
