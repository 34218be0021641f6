/**
 * Does the work without Node's source maps. Pulumi notes a stack trace for each property of each resource, for who
 * looks for leaked promises; to map thousands of them to the sources takes a third of a second of each preview. An
 * error's own trace is worked out when somebody reads it, which is when the maps are back.
 */
export async function withoutSourceMaps<T>(work: () => Promise<T>): Promise<T> {
  // Node before 20.7 does not tell; the loader has switched them on.
  const wanted = process.sourceMapsEnabled !== false;
  process.setSourceMapsEnabled(false);
  try {
    return await work();
  } finally {
    process.setSourceMapsEnabled(wanted);
  }
}
