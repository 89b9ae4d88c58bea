import { expect, it, vi } from 'vitest'
import { editorSchema } from '../../config/schema.js'
import { DEPLOYED } from '../../cost/deployed.js'
import { DEFAULT_HINTS } from '../../delivery/desk-delivery-stream.js'
import { run } from '../cli/command-line.js'
import { type Resource, templateOf } from './archives.js'

const figures = vi.hoisted(() => ({
  BUFFER: { mb: 96, seconds: 480 },
  TRANSFORM_BUFFER: { mb: 2, seconds: 30 },
}))

vi.mock('../../aws/firehose-buffer.js', async original => ({ ...(await original<object>()), ...figures }))

it("other figures in aws/firehose-buffer.ts are another buffer, on AWS as on a desk, in the plan's help and to editors", async () => {
  const { resources } = templateOf({ Orders: { since: '2026-11-22' } })
  const streams = Object.values(resources).filter(({ Type }) => Type === 'AWS::KinesisFirehose::DeliveryStream')
  expect(streams.length).toBeGreaterThan(0)
  for (const { Properties } of streams as readonly Resource[]) {
    const { BufferingHints, ProcessingConfiguration } = Properties.ExtendedS3DestinationConfiguration
    expect(BufferingHints).toEqual({ SizeInMBs: 96, IntervalInSeconds: 480 })
    const [processor] = ProcessingConfiguration.Processors
    expect(processor.Parameters).toContainEqual({ ParameterName: 'BufferSizeInMBs', ParameterValue: '2' })
    expect(processor.Parameters).toContainEqual({ ParameterName: 'BufferIntervalInSeconds', ParameterValue: '30' })
  }
  const MB = 1024 * 1024
  expect(DEFAULT_HINTS).toEqual({
    transformBytes: 2 * MB,
    transformInterval: 30_000,
    objectBytes: 96 * MB,
    objectInterval: 480_000,
  })
  const { out } = await run(['plan', '--help'])
  expect(out.replace(/\s+/g, ' ')).toContain("(the configuration's, or 96)")
  expect(out.replace(/\s+/g, ' ')).toContain("(the configuration's, or 480)")
  expect(DEPLOYED.transform.bufferMb).toBe(2)
  expect(JSON.stringify(editorSchema())).toContain('"default":{"mb":96,"seconds":480}')
})
