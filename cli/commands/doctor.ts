import type { Configuration } from '../../config/configuration.js'
import type { Facts } from '../../doctor/deployed-facts.js'
import type { CheckVerdict, DoctorFinding } from '../../doctor/judgement.js'
import { CONFIG_OPTION, loadConfiguration } from '../ask/workspace.js'
import { type Command, CommandError, EXIT, type ExitCode, type Io } from '../io.js'
import { FORMAT_OPTION, formatOf } from '../show/choose-format.js'
import { grouped } from '../show/progress.js'
import { paint, WIPE_LINE } from '../show/terminal.js'
import { printable } from '../show/text.js'

/** Checks what is deployed against what the archive promises. */
export const doctor: Command = {
  usage: 'doctor',
  summary: 'checks what is deployed on AWS against what the archive promises; changes nothing',
  options: [['--stack <name>', 'the CloudFormation stack of the archive'], CONFIG_OPTION, FORMAT_OPTION],
  example: 'itemtrail doctor --stack Itemtrail',
  run: async (_, options, io) => {
    const format = formatOf(options)
    const { stack } = options
    if (typeof stack !== 'string') throw new CommandError('which stack? expected --stack NAME')
    const configuration = loadConfiguration(options)
    if (configuration === undefined)
      throw new CommandError(
        'there is no configuration to check against, expected itemtrail.config.json here or --config FILE',
        EXIT.usage,
        'of tables captured in your own app it needs name, capture, keys, columns, and the lock',
      )
    // neither the SDK nor the checks are for every command to load
    const { judgeArchive } = await import('../../doctor/checks.js')
    const findings = judgeArchive(await readStack(stack, configuration, io), configuration)
    await format.print({ page: () => showFindings(findings, io), rows: () => findings }, io)
    return exitOf(findings)
  },
}

async function readStack(stack: string, configuration: Configuration, io: Io): Promise<Facts> {
  const [{ CloudFormationClient }, { DynamoDBClient }, { S3Client }, { KMSClient }, { SNSClient }, { readDeployment }] =
    await Promise.all([
      import('@aws-sdk/client-cloudformation'),
      import('@aws-sdk/client-dynamodb'),
      import('@aws-sdk/client-s3'),
      import('@aws-sdk/client-kms'),
      import('@aws-sdk/client-sns'),
      import('../../doctor/read-facts.js'),
    ])
  const clients = {
    cloudFormation: new CloudFormationClient({}),
    dynamoDb: new DynamoDBClient({}),
    s3: new S3Client({}),
    kms: new KMSClient({}),
    sns: new SNSClient({}),
  }
  const note = (text: string) => io.err(io.errIsTerminal ? `${WIPE_LINE}${text}` : `${text}\n`)
  try {
    return await readDeployment(clients, stack, [...configuration.tables.keys()], { note })
  } catch (error) {
    const { name, message } = error as Error
    throw new CommandError(
      `stack ${JSON.stringify(stack)} cannot be described: ${name}: ${message}`,
      EXIT.unchecked,
      'region and credentials are those of the environment: AWS_REGION, AWS_PROFILE',
    )
  } finally {
    if (io.errIsTerminal) io.err(WIPE_LINE)
  }
}

const VERDICT_WORDS: Readonly<Record<CheckVerdict, readonly [word: string, style: 'green' | 'red' | 'yellow']>> = {
  ok: ['ok', 'green'],
  note: ['note', 'yellow'],
  wrong: ['WRONG', 'red'],
  unchecked: ['could not check', 'yellow'],
}

function showFindings(findings: readonly DoctorFinding[], io: Io): void {
  for (const { verdict, subject, check, found, promised, todo } of findings) {
    const [word, style] = VERDICT_WORDS[verdict]
    const instead = verdict === 'ok' || verdict === 'note' ? '' : `, promised is ${promised}`
    io.out(
      `${paint(io, style, word)}${' '.repeat(17 - word.length)}${printable(`${subject}: ${check}: ${found}${instead}`)}\n`,
    )
    if (verdict === 'wrong' || verdict === 'note') io.out(`${' '.repeat(17)}  ${printable(todo ?? '')}\n`)
  }
  const count = (verdict: CheckVerdict) => grouped(findings.filter(finding => finding.verdict === verdict).length)
  const notes = findings.some(({ verdict }) => verdict === 'note') ? `, ${count('note')} to know` : ''
  io.err(`${count('ok')} ok, ${count('wrong')} wrong, ${count('unchecked')} could not be checked${notes}\n`)
}

/** What is wrong is said first: it cannot get better by what could not be looked at. */
function exitOf(findings: readonly DoctorFinding[]): ExitCode {
  if (findings.some(({ verdict }) => verdict === 'wrong')) return EXIT.findings
  return findings.some(({ verdict }) => verdict === 'unchecked') ? EXIT.unchecked : EXIT.done
}
