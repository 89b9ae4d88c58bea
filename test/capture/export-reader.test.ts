import { appendFileSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type DataFile, ExportError, FILES_MANIFEST, md5Of, SUMMARY_MANIFEST } from '../../capture/export-layout.js'
import { checkDataFiles, openExport, readExport } from '../../capture/export-reader.js'
import { temporaryFolder } from '../delivery/desk.js'
import { EXPORT_ARN, incrementalSummary, writeExport, writeManifest } from '../table-export.js'

const item = (order: number) => ({ Item: { order_id: { S: `ORD${order}` } } })

async function readAll(folder: string): Promise<string[]> {
  const source = await openExport(folder)
  await checkDataFiles(source)
  const lines: string[] = []
  for await (const { text } of readExport(source)) lines.push(text)
  return lines
}

/** What reading an export throws. */
async function problemOf(folder: string): Promise<ExportError> {
  const error = await readAll(folder).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(ExportError)
  return error as ExportError
}

describe('an export', () => {
  it('is read line by line, file by file, texts as they are', async () => {
    const text = '{"Item":{"__proto__":{"S":"x"},"n":{"N":"1.50"},"order_id":{"S":"\\u0041"}}}'
    const folder = writeExport(temporaryFolder(), { files: [[item(1), text], [], [item(2)]] })
    expect(await readAll(folder)).toEqual([JSON.stringify(item(1)), text, JSON.stringify(item(2))])
  })

  it('says where each line stands and how many bytes are read', async () => {
    const source = await openExport(writeExport(temporaryFolder(), { files: [[item(1)], [item(2), item(3)]] }))
    const wheres: string[] = []
    let bytes = 0
    for await (const { where } of readExport(source, done => {
      bytes = done
    }))
      wheres.push(where)
    expect(wheres).toEqual(['data/part0.json.gz line 1', 'data/part1.json.gz line 1', 'data/part1.json.gz line 2'])
    expect(bytes).toBe(source.bytes)
  })

  it('may have files without any byte, and none at all', async () => {
    const root = temporaryFolder()
    const folder = writeExport(root, {
      files: [[], [item(1)]],
      alter: (file, i) => (i === 0 ? { ...file, md5Checksum: md5Of(Buffer.of()) } : file),
    })
    writeFileSync(join(folder, 'data/part0.json.gz'), '')
    expect(await readAll(folder)).toHaveLength(1)
    expect(await readAll(writeExport(temporaryFolder(), { files: [] }))).toEqual([])
  })

  it('of the incremental kind has its files in the folder that all share', async () => {
    const line = { Metadata: { WriteTimestampMicros: { N: '1' } }, Keys: { order_id: { S: 'ORD1' } } }
    const folder = writeExport(temporaryFolder(), { files: [[line]], summary: incrementalSummary() })
    expect(await readAll(folder)).toEqual([JSON.stringify(line)])
  })

  it('takes a checksum in hexadecimal and in a file called .checksum', async () => {
    const folder = writeExport(temporaryFolder(), { files: [[item(1)]] })
    const hex = Buffer.from(md5Of(readFileSync(join(folder, SUMMARY_MANIFEST))), 'base64').toString('hex')
    writeFileSync(join(folder, 'manifest-summary.md5'), `${hex}  manifest-summary.json\n`)
    renameSync(join(folder, 'manifest-files.md5'), join(folder, 'manifest-files.checksum'))
    expect(await readAll(folder)).toHaveLength(1)
  })
})

describe('an export is refused by name where', () => {
  const make = (summary: object = {}) => writeExport(temporaryFolder(), { files: [[item(1)], [item(2)]], summary })

  it('a manifest was altered or has no checksum', async () => {
    for (const name of [SUMMARY_MANIFEST, FILES_MANIFEST]) {
      const folder = make()
      appendFileSync(join(folder, name), ' ')
      expect((await problemOf(folder)).message).toContain(`${name} is not what its checksum says`)
      rmSync(join(folder, name.replace('.json', '.md5')))
      expect((await problemOf(folder)).message).toContain(`${name} has no checksum beside it`)
    }
  })

  it.each([
    ['a NUL in its name', 'a\0.json.gz'],
    ['an escape in its name', 'a\u001b[31m.json.gz'],
    ['a way out', '../../../x'],
    ['no name', ''],
    ['a name that no file system takes', 'x'.repeat(300)],
  ])('a data file has %s', async (_, name) => {
    const folder = writeExport(temporaryFolder(), {
      files: [[item(1)]],
      alter: file => ({ ...file, dataFileS3Key: file.dataFileS3Key.replace('part0.json.gz', name) }),
    })
    expect((await problemOf(folder)).message).toContain('manifest-files.json names ')
  })

  it('a data file, its folder or a manifest is a link, or no file', async () => {
    const elsewhere = make()
    const folder = make()
    rmSync(join(folder, 'data/part0.json.gz'))
    symlinkSync(join(elsewhere, 'data/part0.json.gz'), join(folder, 'data/part0.json.gz'))
    expect((await problemOf(folder)).message).toContain('data/part0.json.gz of the export')
    rmSync(join(folder, 'data'), { recursive: true })
    symlinkSync(join(elsewhere, 'data'), join(folder, 'data'))
    expect((await problemOf(folder)).message).toMatch(/data\/part0.json.gz .* is a link or no file/)
    rmSync(join(folder, FILES_MANIFEST))
    symlinkSync('/dev/zero', join(folder, FILES_MANIFEST))
    expect((await problemOf(folder)).message).toMatch(/manifest-files.json is a link or no file/)
  })

  it('a summary has a list where a text belongs', async () => {
    expect((await problemOf(make({ exportArn: [EXPORT_ARN] }))).message).toContain('has exportArn [')
    expect((await problemOf(make({ exportTime: ['2026-11-22T10:00:00Z'] }))).message).toContain('has exportTime [')
  })

  it('a data file unpacks to more than its manifest says, or to a line that no item has', async () => {
    const unpacks = (content: string) => {
      const bytes = gzipSync(content)
      const folder = writeExport(temporaryFolder(), {
        files: [[item(1)]],
        alter: file => ({ ...file, md5Checksum: md5Of(bytes) }),
      })
      writeFileSync(join(folder, 'data/part0.json.gz'), bytes)
      return problemOf(folder)
    }
    expect((await unpacks('{}\n'.repeat(1_000_000))).message).toContain('holds more than 1 items')
    expect((await unpacks('x'.repeat(20 * 1024 * 1024))).message).toContain('has a line of more than 16777216 bytes')
  })

  it('a data file was altered, is missing, or is cut', async () => {
    const folder = make()
    const path = join(folder, 'data/part1.json.gz')
    writeFileSync(path, gzipSync(`${JSON.stringify(item(3))}\n`))
    expect((await problemOf(folder)).message).toMatch(/^data\/part1.json.gz has the MD5 .*: it was altered$/)
    rmSync(path)
    expect((await problemOf(folder)).message).toContain('data/part1.json.gz of the export')
  })

  it('a data file changes between being verified and being read', async () => {
    const folder = make()
    const source = await openExport(folder)
    await checkDataFiles(source)
    writeFileSync(join(folder, 'data/part1.json.gz'), gzipSync(`${JSON.stringify(item(3))}\n`))
    const read = async () => {
      for await (const _ of readExport(source));
    }
    await expect(read()).rejects.toThrow('data/part1.json.gz has the MD5')
  })

  it('a data file is no gzip, or no UTF-8, although its checksum fits', async () => {
    const folder = writeExport(temporaryFolder(), {
      files: [[item(1)]],
      alter: file => ({ ...file, md5Checksum: md5Of(Buffer.from('no gzip')) }),
    })
    writeFileSync(join(folder, 'data/part0.json.gz'), 'no gzip')
    expect((await problemOf(folder)).message).toContain('data/part0.json.gz is not whole gzip')
    const bytes = gzipSync(Buffer.of(0x7b, 0xff, 0x0a))
    const latin = writeExport(temporaryFolder(), {
      files: [[item(1)]],
      alter: file => ({ ...file, md5Checksum: md5Of(bytes) }),
    })
    writeFileSync(join(latin, 'data/part0.json.gz'), bytes)
    expect((await problemOf(latin)).message).toBe('data/part0.json.gz line 1 is not UTF-8')
  })

  it('a file holds another number of items than the manifest says, or all of them another than the summary', async () => {
    const alter = (more: number) => ({
      files: [[item(1)], [item(2)]],
      alter: (file: DataFile, i: number) => ({ ...file, itemCount: i === 1 ? 1 + more : 1 }),
    })
    const few = writeExport(temporaryFolder(), { ...alter(1), summary: { itemCount: 3 } })
    expect((await problemOf(few)).message).toBe('data/part1.json.gz holds 1 items, manifest-files.json says 2')
    const many = writeExport(temporaryFolder(), { ...alter(0), summary: { itemCount: 3 } })
    expect((await problemOf(many)).message).toBe('manifest-files.json counts 2 items, manifest-summary.json says 3')
  })

  it('it is in Ion, of an unknown kind or version, or lacks what is needed', async () => {
    const ion = await problemOf(make({ outputFormat: 'ION' }))
    expect(ion.message).toBe('manifest-summary.json has outputFormat "ION", expected DYNAMODB_JSON')
    expect(ion.hint).toContain('--export-format DYNAMODB_JSON')
    for (const [field, value] of Object.entries({
      exportType: 'OTHER',
      version: '2031-01-01',
      exportArn: 'arn:aws:s3:::bucket',
      tableArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/Others',
      exportTime: 'yesterday',
      manifestFilesS3Key: 'elsewhere',
      itemCount: -1,
    }))
      expect((await problemOf(make({ [field]: value }))).message).toContain('manifest-summary.json has ')
  })

  it('a data file lies outside the export, is named twice, or its line is none', async () => {
    const keyed = (key: string) =>
      writeExport(temporaryFolder(), {
        files: [[item(1)], [item(2)]],
        alter: (file, i) => (i === 1 ? { ...file, dataFileS3Key: key } : file),
      })
    for (const key of ['../../etc/passwd', 'AWSDynamoDB/01795341600000-a1b2c3d4/data/..', '/etc/passwd', 'data/x'])
      expect((await problemOf(keyed(key))).message).toContain(`manifest-files.json names ${JSON.stringify(key)}`)
    const twice = keyed('AWSDynamoDB/01795341600000-a1b2c3d4/data/part0.json.gz')
    expect((await problemOf(twice)).message).toBe('manifest-files.json names data/part0.json.gz twice')
    const folder = make()
    writeManifest(folder, FILES_MANIFEST, '{"itemCount":1}\nnot json\n')
    expect((await problemOf(folder)).message).toContain('manifest-files.json line 1 has md5Checksum')
  })

  it('it is not there, with the folder that was meant', async () => {
    const root = temporaryFolder()
    const folder = writeExport(root, { files: [] })
    const problem = await problemOf(root)
    expect(problem.message).toBe(`${join(root, SUMMARY_MANIFEST)} is not there`)
    expect(problem.hint).toBe(`did you mean ${folder}?`)
  })
})
