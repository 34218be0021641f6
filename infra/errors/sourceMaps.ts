/**
 * Runs a function without Node's source maps. Pulumi records a stack trace for each property of each resource, to find
 * leaked promises; mapping thousands of them to the sources takes a third of a second of each preview. An error's own
 * trace is computed when it is first read; by then the maps are switched on again.
 */
export async function withoutSourceMaps<T>(work: () => Promise<T>): Promise<T> {
  // Undefined in Node before 20.7, where the loader has switched them on.
  const enabled = process.sourceMapsEnabled !== false;
  process.setSourceMapsEnabled(false);
  try {
    return await work();
  } finally {
    process.setSourceMapsEnabled(enabled);
  }
}
