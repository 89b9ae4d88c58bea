// Runs in the child process of lambda-runtime.ts: loads a bundle, calls its handler once as Lambda's runtime does, reports on
// descriptor 3, because standard output is the function's own log.
import { writeSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'

const [path] = process.argv.slice(2)
const { event, context, timeoutMs } = JSON.parse((await buffer(process.stdin)).toString())

const report = outcome => {
  const bytes = Buffer.from(JSON.stringify({ ...outcome, rssMb: process.resourceUsage().maxRSS / 1024 }))
  for (let written = 0; written < bytes.length; ) written += writeSync(3, bytes, written)
}
const described = error => ({ errorType: error.name, errorMessage: error.message })

try {
  const begun = performance.now()
  const { handler } = await import(pathToFileURL(path).href)
  const loaded = performance.now()
  const deadline = Date.now() + timeoutMs
  const getRemainingTimeInMillis = () => Math.max(0, deadline - Date.now())
  const result = await handler(event, { ...context, getRemainingTimeInMillis })
  // as text, as it goes to the caller: what JSON cannot say is lost there too
  const answer = JSON.stringify(result) ?? 'null'
  report({ answer, loadMs: loaded - begun, handlerMs: performance.now() - loaded })
} catch (error) {
  report({ error: described(error) })
}
// Lambda freezes the process; what still runs must not keep this one
process.exit(0)
