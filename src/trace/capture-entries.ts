// From the messages of a capture to the entries of a trace: the credit-control requests, each with
// whether the gateway had the answer to the session's previous request when it sent this one.
import type { CapturedMessage } from './capture.ts';
import { isCreditControlAnswer, isCreditControlRequest, sessionIdOf } from './raw-avp.ts';
import type { TraceEntry } from './trace-file.ts';

/** Sessions, and unanswered requests, that are remembered; beyond it the oldest are forgotten. */
const remembered = 100_000;

interface Previous {
  answered: boolean;
}

/** A map that forgets its oldest entries. */
class Recent<Value> {
  readonly #map = new Map<string, Value>();

  set(key: string, value: Value): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size <= remembered) return;
    for (const oldest of this.#map.keys()) {
      this.#map.delete(oldest);
      return;
    }
  }

  get(key: string): Value | undefined {
    return this.#map.get(key);
  }

  take(key: string): Value | undefined {
    const value = this.#map.get(key);
    this.#map.delete(key);
    return value;
  }
}

/** Yields the requests in the order of the capture. Requests without a Session-Id are left out. */
export async function* captureEntries(
  messages: AsyncIterable<CapturedMessage>,
): AsyncGenerator<TraceEntry> {
  const previous = new Recent<Previous>();
  const outstanding = new Recent<Previous>();
  const answeredConnections = new Set<number>();
  const numbers = new Map<number, number>();
  for await (const message of messages) {
    if (isCreditControlAnswer(message.bytes)) {
      answeredConnections.add(message.connection);
      const request = outstanding.take(hopKey(message));
      if (request !== undefined) request.answered = true;
    }
    if (!isCreditControlRequest(message.bytes)) continue;
    const session = sessionIdOf(message.bytes);
    if (session === undefined) continue;
    const before = previous.get(session);
    // In a capture of one direction nothing is known of answers: to wait is what gateways do.
    const known = answeredConnections.has(message.connection);
    const state: Previous = { answered: false };
    previous.set(session, state);
    outstanding.set(hopKey(message), state);
    if (!numbers.has(message.connection)) numbers.set(message.connection, numbers.size);
    yield {
      atUs: message.atUs,
      connection: numbers.get(message.connection)!,
      session,
      afterAnswer: before !== undefined && (before.answered || !known),
      request: message.bytes,
    };
  }
}

/** RFC 6733 3: the Hop-by-Hop Identifier is unique on its connection. */
function hopKey(message: CapturedMessage): string {
  return `${message.connection}/${message.bytes.readUInt32BE(12)}`;
}
