/** What one-time events did, to and from the bytes of `proto/event.proto` that their keys keep. */
import type { EventEffect } from '../charging/event.ts';
import type { Part } from '../charging/session.ts';
import { createAnswerCodec } from './answer-codec.ts';
import { isPresent, messageCodec, type Optional, storeSchema } from './schema.ts';

const effects = messageCodec<EffectMessage>(storeSchema, 'EventEffect');
const answers = createAnswerCodec(storeSchema);

export function encodeEffect({ by, digest, at, answer, taken }: EventEffect): Uint8Array {
  return effects.encode({ by, digest, at, answer: answers.encode(answer), taken });
}

export function decodeEffect(bytes: Uint8Array): EventEffect {
  const { by, digest, at, answer, taken } = effects.decode(bytes);
  return { by, digest, at, answer: answers.decode(answer), taken: taken.map(toPart) };
}

function toPart({ bucket, units, amount, period }: PartMessage): Part {
  const part: Part = { bucket, units, amount };
  return isPresent(period) ? { ...part, period } : part;
}

interface EffectMessage {
  by: string;
  digest: number;
  at: number;
  answer: Uint8Array;
  taken: readonly PartMessage[];
}

interface PartMessage {
  bucket: string;
  units: number;
  amount: number;
  period?: Optional<number>;
}
