/**
 * Reads a function's configuration from its environment. Throws at cold start and names every variable that is missing,
 * so that a function never runs half configured.
 */
export function readEnvironment<Name extends string>(
  environment: NodeJS.ProcessEnv,
  names: readonly Name[],
): Readonly<Record<Name, string>> {
  const missing = names.filter(name => !environment[name])
  if (missing.length > 0)
    throw new Error(`environment variables ${missing.join(', ')} are missing, the stack sets them`)
  return Object.fromEntries(names.map(name => [name, environment[name]])) as Record<Name, string>
}
