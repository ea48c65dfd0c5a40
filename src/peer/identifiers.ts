/**
 * The two identifiers of requests that we start, RFC 6733 3: Hop-by-Hop unique among what is
 * outstanding on its connection, End-to-End unique per Origin-Host for four minutes and over
 * restarts, although several workers may share that name.
 */

const END_TO_END_LOW_BITS = 20;
const UINT32 = 0x1_0000_0000;

/** A source of 32-bit Hop-by-Hop Identifiers that starts anywhere; `taken` are those outstanding. */
export function hopByHopIds(random: () => number): (taken: (id: number) => boolean) => number {
  let next = Math.floor(random() * UINT32);
  return (taken) => {
    do next = (next + 1) % UINT32;
    while (taken(next));
    return next;
  };
}

export interface EndToEndSource {
  /** This worker's number among those that share its Origin-Host. */
  worker: number;
  /** How many workers may share it; at most 1,024. */
  workers: number;
  /** Wall clock, milliseconds since 1970. */
  wallClock: () => number;
  /** Uniform in [0, 1): where the counter starts, so that a restart within a second differs. */
  random: () => number;
}

/**
 * A source of End-to-End Identifiers. RFC 6733 3 suggests the low 12 bits of the time in the high
 * bits and 20 bits below; here the upper part of those 20 is the worker's number and the rest a
 * counter. More ids in a second than the counter has room for borrow from the next second, and a
 * wall clock that is set back is not followed, so within one process no id repeats for 68 minutes.
 */
export function endToEndIds(source: EndToEndSource): () => number {
  const workerBits = Math.ceil(Math.log2(source.workers));
  const room = 2 ** (END_TO_END_LOW_BITS - workerBits);
  const worker = source.worker * room;
  let counter = Math.floor(source.random() * room);
  let issued = 0;
  let second = 0;
  return () => {
    const current = Math.floor(source.wallClock() / 1000);
    if (current > second) {
      second = current;
      issued = 0;
    } else if (issued === room) {
      second += 1;
      issued = 0;
    }
    issued += 1;
    counter = (counter + 1) % room;
    return (second % 0x1000) * 2 ** END_TO_END_LOW_BITS + worker + counter;
  };
}
