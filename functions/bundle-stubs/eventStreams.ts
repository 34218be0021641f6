/**
 * Stands in for `@smithy/core/event-streams` when a function is bundled (esbuild: `alias`): no operation that is used
 * here answers with a stream of events. The SDK imports it late, for which esbuild would keep a third of the SDK's
 * modules apart, each to be started by itself.
 */

/** Refuses: what would need it is not in the bundle. */
export class EventStreamSerde {
  constructor() {
    throw noStreams();
  }
}

/** Refuses as well. */
export function eventStreamSerdeProvider(): never {
  throw noStreams();
}

const noStreams = () => new Error("The bundled SDK speaks no streams of events");
