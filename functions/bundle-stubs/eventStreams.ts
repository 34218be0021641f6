/**
 * Replaces `@smithy/core/event-streams` when a function is bundled (esbuild: `alias`): no operation that is used here
 * returns an event stream. The SDK imports this module dynamically; because of that, esbuild would keep a third of the
 * SDK's modules separate, each with its own initialization.
 */

/** Always throws: no code in the bundle uses event streams. */
export class EventStreamSerde {
  constructor() {
    throw noStreams();
  }
}

/** Always throws. */
export function eventStreamSerdeProvider(): never {
  throw noStreams();
}

const noStreams = () => new Error("The bundled SDK does not support event streams");
