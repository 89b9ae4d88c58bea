/** DynamoDB Local for scripts and tests: fetched once by Maven, run by Java, gone when stopped. */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findFreePort } from './loopback.js'

const VERSION = '2.6.1'
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
const CACHE = fileURLToPath(new URL('../.cache/dynamodb-local/', import.meta.url))
const LIBRARY = join(CACHE, VERSION)
const READY_WITHIN_MS = 60_000

/** A running DynamoDB Local, empty at the start, that forgets everything when stopped. */
export interface DynamoDbLocal {
  readonly endpoint: string
  stop(): Promise<void>
}

/** Says in one sentence what this machine lacks to run DynamoDB Local; undefined when nothing is missing. */
export function missingForDynamoDbLocal(): string | undefined {
  const java = /version "(\d+)/.exec(spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr ?? '')?.[1]
  if (java === undefined) return 'java is missing: DynamoDB Local needs Java 17 or newer'
  if (Number(java) < 17) return `java is too old: DynamoDB Local needs Java 17 or newer, this is ${java}`
  if (existsSync(LIBRARY) || spawnSync('mvn', ['--version']).status === 0) return undefined
  return 'mvn is missing: Maven fetches DynamoDB Local the first time'
}

/**
 * Starts DynamoDB Local on a free port and returns when it answers. The first call on a machine downloads it (51 MB).
 * It has no option to listen on loopback only, so keep real data out of it.
 */
export async function startDynamoDbLocal(): Promise<DynamoDbLocal> {
  const missing = missingForDynamoDbLocal()
  if (missing !== undefined) throw new Error(missing)
  await fetchLibrary()
  const port = await findFreePort()
  const server = spawn('java', [
    '-XX:+UseSerialGC',
    `-Djava.library.path=${LIBRARY}`,
    ...['-cp', join(LIBRARY, '*')],
    'com.amazonaws.services.dynamodbv2.local.main.ServerRunner',
    ...['-inMemory', '-disableTelemetry', '-port', String(port)],
  ])
  let output = ''
  server.stdout.on('data', chunk => (output += chunk))
  server.stderr.on('data', chunk => (output += chunk))
  const exited = once(server, 'exit')
  const kill = () => server.kill()
  process.once('exit', kill)
  const stop = async () => {
    process.off('exit', kill)
    kill()
    await exited
  }
  const endpoint = `http://127.0.0.1:${port}`
  const deadline = Date.now() + READY_WITHIN_MS
  while (!(await answers(endpoint))) {
    if (server.exitCode !== null) throw new Error(`DynamoDB Local ended with code ${server.exitCode}:\n${output}`)
    if (Date.now() > deadline) {
      await stop()
      throw new Error(`DynamoDB Local did not answer within ${READY_WITHIN_MS} ms:\n${output}`)
    }
    await sleep(100)
  }
  return { endpoint, stop }
}

/** Downloads beside the cache and moves in one step: an interrupted download leaves nothing that looks whole. */
async function fetchLibrary(): Promise<void> {
  if (existsSync(LIBRARY)) return
  await mkdir(CACHE, { recursive: true })
  const download = await mkdtemp(join(CACHE, 'download-'))
  try {
    const pom = join(download, 'pom.xml')
    const library = join(download, 'library')
    await writeFile(pom, POM)
    const options = ['-DincludeScope=runtime', `-DoutputDirectory=${library}`]
    await promisify(execFile)('mvn', ['--batch-mode', '--quiet', '--file', pom, COPY_DEPENDENCIES, ...options])
    await rename(library, LIBRARY).catch(error => {
      // Another process was quicker: its copy is as good as ours.
      if (!existsSync(LIBRARY)) throw error
    })
  } finally {
    await rm(download, { recursive: true, force: true })
  }
}

const POM = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>itemtrail</groupId>
  <artifactId>dynamodb-local</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId>
      <artifactId>DynamoDBLocal</artifactId>
      <version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`

/** Any answer will do, a refusal too: it means that the server listens. */
async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    () => true,
    () => false,
  )
}
