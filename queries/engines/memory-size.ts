/** Bytes of a unit as DuckDB reads it: `MB` is a million of them, `MiB` is 1024 KiB. */
const UNITS: Readonly<Record<string, number>> = {
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
  TIB: 1024 ** 4,
}

const SIZE = /^([1-9]\d{0,5})([KMGT]i?B)$/i

/** How many bytes a size such as `512MB` is; undefined for what is none. */
export function bytesOfSize(size: string): number | undefined {
  const [, count, unit = ''] = SIZE.exec(size) ?? []
  return count === undefined ? undefined : Number(count) * (UNITS[unit.toUpperCase()] as number)
}
