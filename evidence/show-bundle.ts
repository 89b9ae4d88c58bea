import { escapeControls } from '../transform/escape-controls.js'
import type { BundleVerdict } from './verify-bundle.js'

/** A bundle's verdict for people: what is wrong, else what is shown, and always what is not. */
export function showBundle(verdict: BundleVerdict): string {
  const { findings, files, rows, proven, checkpoint } = verdict
  const counts = `${files} files are what the manifests say; ${proven} of ${rows} rows are proven`
  const found = findings.map(({ kind, path, message }) => `${kind.padEnd(10)}  ${path} ${message}`)
  const journal =
    checkpoint === null ? [] : [`checkpoint  ${checkpoint.origin}, size ${checkpoint.size}, root ${checkpoint.root}`]
  const end =
    findings.length === 0
      ? `SOUND: ${sentenceOf(verdict)}`
      : `BROKEN: ${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`
  // names are whoever's who made it: none is a line of ours
  return [...found, counts, ...journal, ...remarksOf(verdict), end, ''].map(escapeControls).join('\n')
}

function sentenceOf({ key, proven }: BundleVerdict): string {
  if (key === 'given' && proven === 0)
    return 'the checkpoint is signed by the key given; no row is in it, so nothing of its answer is proven'
  return key === 'given'
    ? 'each row was in the archive when the checkpoint was signed, by the key given'
    : `it agrees with itself; the key came with it, so anybody can have made it`
}

/** What a reader should know beside it. */
function remarksOf({ leftOut, unbound, key, program }: BundleVerdict): readonly string[] {
  const omitted = Object.entries(leftOut).map(([name, rows]) => `${name} of ${rows} ${rows === 1 ? 'row' : 'rows'}`)
  return [
    ...(key === 'given' ? [] : ['not checked: who signed it; --key takes the key that was handed over another way']),
    ...(program === 'ours'
      ? []
      : [
          'not checked: its verify/verify.mjs, which is another than the one here, by its version or forged: do not run it',
        ]),
    ...(omitted.length === 0 ? [] : [`left out on purpose: ${omitted.join(', ')}`]),
    ...(unbound.length === 0 ? [] : [`under no proof: the columns ${unbound.join(', ')}`]),
    'not checked: the answer and its verdict (data/verdict.json), that they follow from the rows and lack none; "itemtrail rerun" asks the archive again',
  ]
}
