/** Chance from a seed: the same seed, the same day. */
export interface Chance {
  /** 0 <= x < 1. */
  next(): number;
  /** A whole number from `low` to `high`. */
  between(low: number, high: number): number;
  /** Whether one in `1 / likelihood` comes true. */
  hits(likelihood: number): boolean;
  pick<T>(from: readonly T[]): T;
}

/** splitmix32, one stream for each subject. */
export function chanceOf(seed: number, stream: number): Chance {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    hits: (likelihood) => next() < likelihood,
    pick: (from) => from[Math.floor(next() * from.length)]!,
  };
}
