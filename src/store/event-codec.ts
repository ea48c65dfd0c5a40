/** What one-time events did, to and from the bytes of `proto/event.proto` that their keys keep. */
import type { EventEffect, Taken } from '../charging/event.ts';
import { createAnswerCodec } from './answer-codec.ts';
import { isPresent, messageCodec, type Optional, storeSchema } from './schema.ts';

const effects = messageCodec<EffectMessage>(storeSchema, 'EventEffect');
const answers = createAnswerCodec(storeSchema);

export function encodeEffect({ by, digest, at, answer, taken }: EventEffect): Uint8Array {
  const takenFor = taken.map(({ service }) => service);
  return effects.encode({ by, digest, at, answer: answers.encode(answer), taken, takenFor });
}

export function decodeEffect(bytes: Uint8Array): EventEffect {
  const { by, digest, at, answer, taken, takenFor } = effects.decode(bytes);
  return {
    ...{ by, digest, at, answer: answers.decode(answer) },
    taken: taken.map((part, i) => toTaken(part, takenFor[i] ?? 0)),
  };
}

function toTaken({ bucket, units, amount, period }: PartMessage, service: number): Taken {
  const part: Taken = { bucket, units, amount, service };
  return isPresent(period) ? { ...part, period } : part;
}

interface EffectMessage {
  by: string;
  digest: number;
  at: number;
  answer: Uint8Array;
  taken: readonly PartMessage[];
  takenFor: readonly number[];
}

interface PartMessage {
  bucket: string;
  units: number;
  amount: number;
  period?: Optional<number>;
}
