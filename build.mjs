// `dist`, whole and with nothing else in it: what tsc emits, what tsc leaves, and each function on AWS as one file.
// Nothing is removed before all is written: other processes run what is in `dist` meanwhile.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, normalize, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { reach } from './reach.mjs'

const FUNCTIONS = {
  transform: 'functions/transform.ts',
  'sealing-transform': 'functions/sealing-transform.ts',
  'make-key-store': 'functions/make-key-store-lambda.ts',
  forwarder: 'functions/forwarder.ts',
  'lock-objects': 'functions/lock-objects-lambda.ts',
  'watch-refused': 'functions/watch-refused-lambda.ts',
  'compact-table': 'functions/compact-table.ts',
  canary: 'functions/canary-lambda.ts',
  'reconcile-table': 'functions/reconcile-table.ts',
  'seal-archive': 'functions/seal-archive-lambda.ts',
  'check-journal': 'functions/check-journal-lambda.ts',
  'keep-configuration': 'functions/keep-configuration-lambda.ts',
  'kinesis-destination': 'functions/kinesis-destination-lambda.ts',
}
const SQL = ['sql', 'internal', 'parts'].flatMap(folder =>
  readdirSync(join('queries', folder)).map(name => join(folder, name)),
)

// what no other file imports: a thread, and the app of `cdk deploy`
const STARTED = ['dist/delivery/block-worker.js', 'dist/infra/app.js']
// packages of many modules that the command line imports; what is not here is one file, or CommonJS, or seldom needed
const PACKED = ['apache-arrow', 'zod', 'diff', 'jsondiffpatch', 'string-width', '@noble/ciphers/aes.js', 'hyparquet']
const BUNDLE = { bundle: true, platform: 'node', format: 'esm', legalComments: 'none' }

// packages whose code is in a file of ours, by their folder
const brought = new Set()
const written = new Set(compile())
for (const name of SQL) copy(join('queries', name), join('dist/queries', name))
// what the page's browser loads is as it stands here
copy('view/page.js', 'dist/view/page.js')
await bundleProgram()
chmodSync('dist/cli/itemtrail.js', 0o755)

for (const [name, entryPoint] of Object.entries(FUNCTIONS)) {
  await bundle({
    entryPoints: [entryPoint],
    outfile: `dist/lambda/${name}/index.mjs`,
    minify: true,
    target: 'node24',
    // the AWS SDK's ES modules: of its CommonJS nothing can be left out
    mainFields: ['module', 'main'],
  })
}

// the questions that a checkpoint is proven by, and that a table is compared by
for (const bundled of ['compact-table', 'reconcile-table'])
  for (const name of SQL) copy(join('queries', name), join('dist/lambda', bundled, name))

// what a bundle brings to be verified with: to be read by whoever runs it, so nothing is minified
await bundle({
  entryPoints: ['evidence/verify-bag.ts'],
  outfile: 'dist/evidence/verify.mjs',
  target: 'node20',
})
copy('evidence/HOWTO.txt', 'dist/evidence/HOWTO.txt')

writeFileSync('dist/THIRD-PARTY.txt', licences(brought))
written.add(normalize('dist/THIRD-PARTY.txt'))

// types of what nobody can import are nobody's
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
const shown = reachedBy(Object.values(exports).map(({ types }) => types))
for (const file of [...written]) if (file.endsWith('.d.ts') && !shown.has(file)) written.delete(file)

// what the program has in its own files, and no program can import, is here for tests: it is not published
const loaded = reachedBy([...Object.values(exports).map(({ default: path }) => path), ...STARTED])
const apart = [...written].filter(file => isModule(file) && !loaded.has(file))
writeFileSync('dist/.npmignore', apart.map(file => `/${relative('dist', file).replaceAll(sep, '/')}\n`).join(''))
written.add(normalize('dist/.npmignore'))

removeOthers('dist')

/** What tsc writes, from here. Ends the process where it finds fault. */
function compile() {
  const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')))
  const options = ['-p', 'tsconfig.build.json', '--listEmittedFiles']
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...options], { encoding: 'utf8', stdio: [0, 'pipe', 2] })
  const lines = stdout.split('\n')
  const others = lines.filter(line => line !== '' && !line.startsWith('TSFILE: '))
  if (others.length > 0) console.error(others.join('\n'))
  if (status !== 0) process.exit(status ?? 1)
  return lines.filter(line => line.startsWith('TSFILE: ')).map(line => relative('.', line.slice('TSFILE: '.length)))
}

function reachedBy(paths) {
  const entries = paths.map(path => relative('dist', path))
  return new Set([...reach('dist', entries).files].map(file => join('dist', file)))
}

/** Whether tsc made it, and not a bundler. */
function isModule(file) {
  return file.endsWith('.js') && !file.startsWith(join('dist', 'cli', sep)) && !file.endsWith('page.js')
}

function copy(from, to) {
  cpSync(from, to)
  written.add(to)
}

async function bundle(options) {
  const { metafile } = await build({ ...BUNDLE, ...options, metafile: true })
  written.add(options.outfile)
  for (const input of Object.keys(metafile.inputs)) {
    const [folder] = /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(input) ?? []
    if (folder !== undefined) brought.add(folder)
  }
}

/** What the authors of packages ask whoever hands on their code to hand on with it, each text once. */
function licences(folders) {
  const named = new Map()
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const files = readdirSync(folder).filter(file => /^(licen[cs]e|notice)/i.test(file))
    const texts = files.map(file => readFileSync(join(folder, file), 'utf8').trim())
    for (const text of texts.length > 0 ? texts : [`Licence: ${license}`])
      named.set(text, [...(named.get(text) ?? []), `${name} ${version}`])
  }
  const parts = [...named].map(([text, names]) => `${names.join(', ')}\n\n${text}\n`)
  return ['Code of these packages is in files of this one.\n', ...parts].join(`\n${'-'.repeat(80)}\n\n`)
}

/**
 * The command line as few files in place of hundreds: to find and to open a module takes longer than to run it. Each
 * command is loaded when it is asked, each package of many modules is a file of its own, and traces stay readable.
 */
async function bundleProgram() {
  for (const file of [...written]) if (file.startsWith(`dist${sep}cli${sep}`)) written.delete(file)
  for (const name of PACKED)
    await bundle({
      entryPoints: [name],
      outfile: join('dist/cli', packedFile(name)),
      target: 'node20',
      legalComments: 'eof',
    })
  const { metafile } = await build({
    ...BUNDLE,
    entryPoints: ['cli/itemtrail.ts'],
    outdir: 'dist/cli',
    splitting: true,
    packages: 'external',
    target: 'node20',
    metafile: true,
    plugins: [
      { name: 'places', setup: keepPlaces },
      { name: 'packed', setup: findPacked },
    ],
  })
  for (const file of Object.keys(metafile.outputs)) written.add(normalize(file))
}

/** What a module finds beside itself it finds where it would lie alone. */
function keepPlaces({ onLoad }) {
  onLoad({ filter: /\.tsx?$/ }, ({ path }) => {
    const place = relative('.', path)
      .replaceAll(sep, '/')
      .replace(/\.tsx?$/, '.js')
    const text = readFileSync(path, 'utf8')
    const contents = text.replaceAll('import.meta.url', `new URL('../${place}', import.meta.url).href`)
    return { contents, loader: path.endsWith('x') ? 'tsx' : 'ts' }
  })
}

/** A package that is packed is beside the program, and a part of it is, too. */
function findPacked({ onResolve }) {
  for (const name of PACKED)
    onResolve({ filter: new RegExp(`^${name}(/|$)`) }, () => ({ path: `./${packedFile(name)}`, external: true }))
}

/** From where the program is. */
function packedFile(name) {
  return `packages/${name.replace(/^@|\.js$/g, '').replaceAll('/', '-')}.js`
}

/** Removes what this build has not written: the source that it was made of is gone, or has another name. */
function removeOthers(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && [...written].some(file => file.startsWith(path + sep))) removeOthers(path)
    else if (!written.has(path)) rmSync(path, { recursive: true, force: true })
  }
}
