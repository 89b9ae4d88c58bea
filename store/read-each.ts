import { FileError } from '../config/gate.js'
import type { Objects } from './objects.js'

/** A comparison's keys of items that differed may be many and long. */
const MAX_BYTES = 64 * 1024 ** 2

/**
 * Reads every `.json` object right under a prefix, in order. One that cannot be read, or that is not what it should be,
 * is a problem and costs no other its word; so is a link in the place of one, and one that was put deeper.
 */
export async function readEach<T>(
  archive: Objects,
  prefix: string,
  read: (content: Uint8Array, key: string) => T,
): Promise<{ readonly read: readonly T[]; readonly problems: readonly FileError[] }> {
  const { keys, odd } = await archive.survey(prefix)
  const isFile = ({ key }: { readonly key: string }) => key.endsWith('.json') || prefix.startsWith(`${key}/`)
  const problems = odd.filter(isFile).map(({ key, reason }) => new FileError(key, [reason]))
  const found: T[] = []
  const files = keys.filter(key => key.endsWith('.json'))
  const asked = files.filter(key => !isDeeper(key, prefix))
  for (const key of files.filter(key => isDeeper(key, prefix)))
    problems.push(new FileError(key, [`is deeper than what is read, which lies in ${prefix}`]))
  const contents = await Promise.all(asked.map(key => orProblem(() => archive.open(key, MAX_BYTES))))
  for (const [i, content] of contents.entries()) {
    const key = asked[i] as string
    const one = content instanceof FileError ? content : await orProblem(async () => read(content, key))
    if (one instanceof FileError) problems.push(one)
    else found.push(one)
  }
  return { read: found, problems }
}

function isDeeper(key: string, prefix: string): boolean {
  return key.includes('/', prefix.length)
}

async function orProblem<T>(work: () => Promise<T>): Promise<T | FileError> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof FileError) return error
    throw error
  }
}
