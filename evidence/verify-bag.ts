import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ProofError, withoutSecrets } from '../proof/proof-error.js'
import { escapeControls } from '../transform/escape-controls.js'
import { bundleIn } from './bundle-folder.js'
import { showBundle } from './show-bundle.js'
import { verifyBundle } from './verify-bundle.js'

/**
 * The program `verify/verify.mjs` of a bundle, which needs nothing but Node 20: `node verify.mjs [--key VKEY|FILE]
 * [--json] [FOLDER]`. Exit 0: sound; 1: findings; 2: used wrongly; 3: could not check.
 */

/** A vkey, or the first line of a file that holds one. */
function keyOf(text: string): string {
  return existsSync(text) ? (readFileSync(text, 'utf8').split('\n')[0] as string).trim() : text
}

function main(args: string[]): number {
  let key: string | undefined
  let json = false
  const folders: string[] = []
  while (args.length > 0) {
    const arg = args.shift() as string
    if (arg === '--json') json = true
    else if (arg === '--key' && args.length > 0) key = keyOf(args.shift() as string)
    else if (!arg.startsWith('-') && folders.length === 0) folders.push(arg)
    else return told('verify.mjs [--key VKEY|FILE] [--json] [FOLDER]', 2)
  }
  const { verdict, exit } = tryVerify(folders[0] ?? dirname(dirname(fileURLToPath(import.meta.url))), key)
  if (verdict === undefined) return exit
  process.stdout.write(json ? `${JSON.stringify(verdict, null, 2)}\n` : showBundle(verdict))
  return exit
}

function tryVerify(folder: string, key: string | undefined) {
  try {
    const verdict = verifyBundle(bundleIn(folder), key, readFileSync(fileURLToPath(import.meta.url)))
    return { verdict, exit: verdict.findings.length === 0 ? 0 : 1 }
  } catch (error) {
    const exit = error instanceof ProofError ? 2 : 3
    return { exit: told((error as Error).message, exit) }
  }
}

function told(message: string, exit: number): number {
  process.stderr.write(`${escapeControls(withoutSecrets(message))}\n`)
  return exit
}

process.exitCode = main(process.argv.slice(2))
