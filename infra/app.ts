// The app that cdk.json names: npx cdk deploy -c config=itemtrail.config.json
import { App } from 'aws-cdk-lib'
import { ConfigurationError } from '../config/problems.js'
import { archiveApp } from './archive-app.js'

try {
  archiveApp(new App())
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error
  console.error(`${error.message}\n${error.hint}`)
  process.exitCode = 1
}
