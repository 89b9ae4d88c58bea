// The app that cdk.json names: npx cdk deploy -c config=itemtrail.config.json
import { ConfigurationError } from '../config/problems.js'

try {
  // not at once, so that it can be told what to install
  const [{ App }, { archiveApp }] = await Promise.all([import('aws-cdk-lib'), import('./archive-app.js')])
  archiveApp(new App())
} catch (error) {
  const told = error instanceof ConfigurationError ? `${error.message}\n${error.hint}` : missingPackage(error)
  if (told === undefined) throw error
  console.error(told)
  process.exitCode = 1
}

/** What to install where what CDK apps need is not there: npm leaves it out, since the command line does without. */
function missingPackage(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException
  const [, name] = /Cannot find package '(aws-cdk-lib|constructs)/.exec(message) ?? []
  if (code !== 'ERR_MODULE_NOT_FOUND' || name === undefined) return undefined
  return `package ${name} is not installed, which deploying needs\n  npm install aws-cdk-lib constructs aws-cdk`
}
