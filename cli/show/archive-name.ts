/** Where an archive is if nobody says it. */
export const DEFAULT_ARCHIVE = './archive'

/** The name of an archive on AWS, as an opened one has it in place of a folder. */
export function nameOnAws(workgroup: string, database: string, region: string | undefined): string {
  return `athena:${workgroup}/${database}${region === undefined ? '' : `@${region}`}`
}

/** What a command that is told to the user needs to find the same archive. */
export function archiveFlag(root: string): string {
  const [, workgroup, database, region] = ON_AWS.exec(root) ?? []
  if (workgroup !== undefined)
    return ` --workgroup ${workgroup} --database ${database}${region === undefined ? '' : ` --region ${region}`}`
  return root === DEFAULT_ARCHIVE ? '' : ` --archive ${/^[\w./-]+$/.test(root) ? root : JSON.stringify(root)}`
}

const ON_AWS = /^athena:([^/]+)\/([^@]+)(?:@(.+))?$/

/** True for the root of a workspace that is on AWS. */
export function isOnAws(root: string): boolean {
  return ON_AWS.test(root)
}
