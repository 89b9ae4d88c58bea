/**
 * AWS on loopback, which enforces IAM: ministack with what Itemtrail's template needs besides (`emulator.py`), from a
 * Python of its own under `.cache/`.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync, realpathSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findFreePort } from '../loopback.js'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const HERE = import.meta.dirname
const CACHE = join(ROOT, '.cache')
/** One for all who share the folder: whoever found another path to it would take it from under a running emulator. */
const INSTALLED = join(existsSync(CACHE) ? realpathSync(CACHE) : CACHE, 'emulator')
const REQUIREMENTS = join(HERE, 'requirements.txt')
const READY_WITHIN_MS = 60_000

const run = promisify(execFile)

/** Credentials of the account's root, whom no policy of a bucket binds. */
const ROOT_USER = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }

export type Environment = Readonly<Record<string, string>>

/** A running emulator. */
export interface Emulator {
  readonly endpoint: string
  /** What a program needs to reach it as the account's root. */
  readonly environment: Environment
  /** What it wrote, functions' logs among it. */
  log(): string
  stop(): Promise<void>
}

/** Says in one sentence what this machine lacks to run it; undefined when nothing is missing. */
export function missingForEmulator(): string | undefined {
  const { status } = spawnSync('python3', ['-c', 'import sys, venv; sys.exit(sys.version_info < (3, 11))'])
  return status === 0 ? undefined : 'python3 of 3.11 or newer with venv is missing: the emulator is a Python program'
}

/**
 * Fetches what `requirements.txt` names, by its hashes; an interrupted one leaves nothing that looks whole. Programs of
 * a Python know their folder, so one that was copied or moved is made again.
 */
async function install(): Promise<void> {
  const current = join(INSTALLED, 'installed.txt')
  const wanted = `# in ${INSTALLED}\n${readFileSync(REQUIREMENTS, 'utf8')}`
  if (existsSync(current) && readFileSync(current, 'utf8') === wanted) return
  await rm(INSTALLED, { recursive: true, force: true })
  await mkdir(INSTALLED, { recursive: true })
  await run('python3', ['-m', 'venv', INSTALLED])
  const options = ['-q', '--require-hashes', '--only-binary', ':all:', '--disable-pip-version-check']
  await run(join(INSTALLED, 'bin', 'pip'), ['install', ...options, '-r', REQUIREMENTS], { maxBuffer: 2 ** 26 })
  await writeFile(`${current}.new`, wanted)
  await rename(`${current}.new`, current)
}

/**
 * Starts it on a free port, with its log in a folder. `athena` is the endpoint that functions ask; they bring the SDK
 * that is named here, as Lambda's own Node does.
 */
export async function startEmulator(folder: string, athena: string): Promise<Emulator> {
  await install()
  const port = await findFreePort()
  const endpoint = `http://127.0.0.1:${port}`
  const log = join(folder, 'emulator.log')
  const out = openSync(log, 'a')
  const server = spawn('nice', [join(INSTALLED, 'bin', 'python'), join(HERE, 'emulator.py')], {
    cwd: folder,
    // a group of its own, which is ended as a whole: functions run in processes of their own
    detached: true,
    stdio: ['ignore', out, out],
    env: {
      HOME: folder,
      TMPDIR: folder,
      PATH: pathOf(process.env),
      AUTH: 'true',
      // an address, so that S3 is addressed by path: `bucket.localhost` resolves nowhere
      MINISTACK_HOST: '127.0.0.1',
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: `${port}`,
      // it would listen on every address
      IOT_MTLS_ENABLED: '0',
      NODE_PATH: join(ROOT, 'node_modules'),
      // its parts lie among the sources
      PYTHONDONTWRITEBYTECODE: '1',
      AWS_ENDPOINT_URL_ATHENA: athena,
    },
  })
  closeSync(out)
  const stop = stopper(server)
  const read = () => readFileSync(log, 'utf8')
  const deadline = Date.now() + READY_WITHIN_MS
  while (!(await isUp(endpoint))) {
    if (server.exitCode === null && Date.now() < deadline) await sleep(200)
    else {
      await stop()
      throw new Error(`the emulator did not become ready:\n${read().slice(-4000)}`)
    }
  }
  return {
    endpoint,
    environment: { ...environmentOf(endpoint, athena), HOME: folder, TMPDIR: folder },
    log: read,
    stop,
  }
}

function environmentOf(endpoint: string, athena: string): Environment {
  return {
    ...ROOT_USER,
    PATH: pathOf(process.env),
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_ATHENA: athena,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
    CDK_DEFAULT_ACCOUNT: '000000000000',
    CDK_DEFAULT_REGION: 'us-east-1',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    NODE_NO_WARNINGS: '1',
  }
}

/** The command line of AWS comes from the same list as the emulator. */
function pathOf({ PATH = '' }: NodeJS.ProcessEnv): string {
  return [join(INSTALLED, 'bin'), PATH].join(delimiter)
}

function stopper(server: ChildProcess): () => Promise<void> {
  const exited = once(server, 'exit')
  const kill = () => {
    try {
      if (server.pid !== undefined) process.kill(-server.pid, 'SIGKILL')
    } catch {
      // nobody of the group is left
    }
  }
  process.once('exit', kill)
  return async () => {
    process.off('exit', kill)
    kill()
    await exited
  }
}

async function isUp(endpoint: string): Promise<boolean> {
  const answer = await fetch(`${endpoint}/_localstack/health`).catch(() => undefined)
  return answer?.ok === true
}
