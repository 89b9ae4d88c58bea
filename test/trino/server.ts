/**
 * A real Trino, the engine behind Athena, for tests: two artifacts fetched once by Maven, run by a JDK of 24 or newer.
 */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findFreePort } from '../loopback.js'
import { TrinoClient } from './client.js'

/** The newest release whose server is in Maven's repository. */
const VERSION = '476'
const CACHE = fileURLToPath(new URL('../../.cache/trino/', import.meta.url))
const INSTALLED = join(CACHE, VERSION)
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy'
const READY_WITHIN_MS = 300_000

/** Parts of the Hive plugin that a local disk never needs; without them it is 100 MB smaller. */
const LEFT_OUT = /rocksdb|alluxio|google-cloud|grpc|azure|opencensus|quic|netty-codec/

const run = promisify(execFile)

/** A running Trino with the catalog `hive` over local files. */
export interface TrinoServer {
  readonly client: TrinoClient
  stop(): Promise<void>
}

/** Says in one sentence what this machine lacks to run Trino; undefined when nothing is missing. */
export function missingForTrino(): string | undefined {
  if (findJdk() === undefined)
    return 'a JDK of 24 or newer is missing: Trino needs one (JAVA_HOME, or under /usr/lib/jvm)'
  if (existsSync(INSTALLED) || spawnSync('mvn', ['--version']).status === 0) return undefined
  return 'mvn is missing: Maven fetches Trino the first time'
}

/** The home of a JDK that is new enough. */
function findJdk(): string | undefined {
  const known = '/usr/lib/jvm'
  const homes = [process.env.JAVA_HOME, ...(existsSync(known) ? readdirSync(known).map(name => join(known, name)) : [])]
  return homes.find(home => home !== undefined && javaVersion(join(home, 'bin', 'java')) >= 24)
}

function javaVersion(java: string): number {
  return Number(/version "(\d+)/.exec(spawnSync(java, ['-version'], { encoding: 'utf8' }).stderr ?? '')?.[1] ?? 0)
}

/** The environment variable through which one server serves all test files of a run. */
const RUNNING = 'ITEMTRAIL_TEST_TRINO'

/** Trino with a schema of one's own: the server of this run, or a new one. */
export async function startTrino(): Promise<TrinoServer> {
  const url = process.env[RUNNING]
  if (url === undefined) return launchTrino()
  return { client: await openSchema(url), stop: async () => {} }
}

/** Starts the server of a run, for vitest's global set-up; without what Trino needs, tests skip themselves by name. */
export async function startSharedTrino(): Promise<() => Promise<void>> {
  if (missingForTrino() !== undefined) return async () => {}
  const server = await launchTrino()
  process.env[RUNNING] = server.client.url
  return server.stop
}

async function openSchema(url: string): Promise<TrinoClient> {
  const client = new TrinoClient(url, `test_${randomBytes(6).toString('hex')}`)
  await client.run(`create schema hive.${client.schema}`)
  return client
}

/**
 * Starts Trino on a free loopback port and returns when it can run queries, about 12 s later; the first time it
 * downloads 430 MB. `catalog` gives the properties of the catalog `hive`, from a folder that goes with the server.
 */
export async function launchTrino(catalog = localCatalog): Promise<TrinoServer> {
  const missing = missingForTrino()
  if (missing !== undefined) throw new Error(missing)
  const jdk = findJdk() as string
  await install(jdk)
  const folder = await mkdtemp(join(tmpdir(), 'itemtrail-trino-'))
  const port = await findFreePort()
  await configure(folder, port, catalog(folder))
  const server = spawn(join(jdk, 'bin', 'java'), javaArguments(folder), { cwd: folder })
  let output = ''
  server.stdout.on('data', chunk => (output += chunk))
  server.stderr.on('data', chunk => (output += chunk))
  const exited = once(server, 'exit')
  const kill = () => server.kill('SIGKILL')
  process.once('exit', kill)
  const stop = async () => {
    process.off('exit', kill)
    kill()
    await exited
    await rm(folder, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  const deadline = Date.now() + READY_WITHIN_MS
  while (!(await canScan(new TrinoClient(url, 'ready')))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`Trino did not become ready:\n${output.slice(-4000)}`)
    }
    await sleep(300)
  }
  return { client: await openSchema(url), stop }
}

/** Trino says that it has started seconds before it can schedule a scan, so a scan is what tells. */
async function canScan(client: TrinoClient): Promise<boolean> {
  try {
    await client.run('create schema if not exists hive.ready')
    await client.run('create table if not exists hive.ready.ready as select 1 as one')
    await client.run('select one from hive.ready.ready')
    return true
  } catch {
    return false
  }
}

/** Downloads and unpacks beside the cache and moves in one step: an interrupted one leaves nothing that looks whole. */
async function install(jdk: string): Promise<void> {
  if (existsSync(INSTALLED)) return
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, 'download-'))
  try {
    for (const artifact of [`trino-server-core:${VERSION}:tar.gz`, `trino-hive:${VERSION}:zip`]) {
      await run('mvn', ['-q', '-B', COPY, `-Dartifact=io.trino:${artifact}`, `-DoutputDirectory=${folder}`])
    }
    await run('tar', ['xzf', `trino-server-core-${VERSION}.tar.gz`, `trino-server-core-${VERSION}/lib`], {
      cwd: folder,
    })
    await run(join(jdk, 'bin', 'jar'), ['xf', `trino-hive-${VERSION}.zip`], { cwd: folder })
    const ready = join(folder, 'ready')
    await mkdir(join(ready, 'plugin'), { recursive: true })
    await rename(join(folder, `trino-server-core-${VERSION}`, 'lib'), join(ready, 'lib'))
    await rename(join(folder, `trino-hive-${VERSION}`), join(ready, 'plugin', 'hive'))
    await removeJars(join(ready, 'plugin', 'hive'))
    await rename(ready, INSTALLED)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function removeJars(folder: string): Promise<void> {
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    if (name.endsWith('.jar') && LEFT_OUT.test(name)) await rm(join(folder, name))
  }
}

async function configure(folder: string, port: number, catalog: string): Promise<void> {
  await mkdir(join(folder, 'catalog'))
  // of every query that has ended Trino keeps what it knows for 15 minutes, which after some hundreds fills its small
  // heap
  await writeFile(
    join(folder, 'config.properties'),
    `coordinator=true
node-scheduler.include-coordinator=true
node.bind-ip=127.0.0.1
node.internal-address=127.0.0.1
http-server.http.port=${port}
discovery.uri=http://127.0.0.1:${port}
query.max-memory=300MB
query.max-memory-per-node=300MB
memory.heap-headroom-per-node=200MB
query.min-expire-age=10s
query.max-history=5
task.concurrency=1
`,
  )
  await writeFile(join(folder, 'catalog', 'hive.properties'), catalog)
  await writeFile(join(folder, 'log.properties'), 'io.trino=WARN\n')
}

/** A table may lie anywhere on the disk; the last two make the bytes read follow the columns, as on S3. */
function localCatalog(folder: string): string {
  return `connector.name=hive
hive.metastore=file
hive.metastore.catalog.dir=local://${folder}/metastore
fs.native-local.enabled=true
local.location=/
hive.ignore-absent-partitions=true
parquet.small-file-threshold=0B
parquet.max-merge-distance=0B
`
}

function javaArguments(folder: string): readonly string[] {
  return [
    ...['-Xmx768M', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '--sun-misc-unsafe-memory-access=allow'],
    ...['--enable-native-access=ALL-UNNAMED', '--add-modules=jdk.incubator.vector', '-Duser.timezone=UTC'],
    `-Dplugin.dir=${join(INSTALLED, 'plugin')}`,
    `-Dconfig=${join(folder, 'config.properties')}`,
    `-Dcatalog.config-dir=${join(folder, 'catalog')}`,
    `-Dlog.levels-file=${join(folder, 'log.properties')}`,
    ...[`-Dnode.data-dir=${join(folder, 'data')}`, '-Dnode.environment=test', '-Dnode.id=test'],
    ...['-cp', join(INSTALLED, 'lib', '*'), 'io.trino.server.TrinoServer'],
  ]
}
