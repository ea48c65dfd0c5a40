/**
 * The answers of a session as they are stored: one behind the other, in one piece of memory. Each
 * request adds one and leaves the others as they are, so these are copied at once, and not fetched
 * one by one from wherever they lie.
 */
import type { Answered } from '../charging/session.ts';

/** Answers in their order, each as a field of the stored session. */
interface Run {
  /** Whose they are by now: for anybody else it is worth nothing. */
  answers: readonly Answered[];
  bytes: Buffer;
  start: number;
  end: number;
}

/** Where the last answer of a run keeps it, and one that was read the bytes that it was read from. */
const ofAll = Symbol('run');
const ofOne = Symbol('encoded');
type Kept = Answered & { [ofAll]?: Run; [ofOne]?: Uint8Array };

/** How much more room than it needs a full run is given. */
const ROOM = 2;
const LEAST_BYTES = 512;
const NONE = new Uint8Array();

/** Keeps the bytes that an answer was read from, which no version of this program changes. */
export function keepBytes(answered: Answered, bytes: Uint8Array): void {
  // Not enumerable: it is no part of what the answer says.
  Object.defineProperty(answered, ofOne, { value: bytes });
}

/** Runs of answers as fields that begin with `tag`, each answer as `encode` has it. */
export class AnswerRuns {
  readonly #tag: number;
  readonly #encode: (answered: Answered) => Uint8Array;

  constructor(tag: number, encode: (answered: Answered) => Uint8Array) {
    this.#tag = tag;
    this.#encode = encode;
  }

  /** A view of the fields of all these answers, to be copied before anything else is encoded. */
  of(answers: readonly Answered[]): Uint8Array {
    const last: Kept | undefined = answers.at(-1);
    if (last === undefined) return NONE;
    let run = last[ofAll];
    if (run?.answers !== answers) {
      run = this.#continued(answers) ?? this.#whole(answers);
      Object.defineProperty(last, ofAll, { value: run, configurable: true });
    }
    return run.bytes.subarray(run.start, run.end);
  }

  /** The run that the answer before the last has, grown in place, if it is of these same answers. */
  #continued(answers: readonly Answered[]): Run | undefined {
    const count = answers.length - 1;
    const run = (answers[count - 1] as Kept | undefined)?.[ofAll];
    if (run === undefined) return undefined;
    const gone = run.answers.length - count;
    for (let i = 0; i < count; i++) if (run.answers[gone + i] !== answers[i]) return undefined;
    for (let i = 0; i < gone; i++) skipField(run);
    run.answers = answers;
    this.#append(run, answers[count] as Answered);
    return run;
  }

  #whole(answers: readonly Answered[]): Run {
    const run = { answers, bytes: Buffer.allocUnsafeSlow(LEAST_BYTES), start: 0, end: 0 };
    for (const answered of answers) this.#append(run, answered);
    return run;
  }

  #append(run: Run, answered: Kept): void {
    const value = answered[ofOne] ?? this.#encode(answered);
    makeRoom(run, 2 * MOST_VARINT + value.length);
    const { bytes } = run;
    const at = writeVarint(bytes, writeVarint(bytes, run.end, this.#tag), value.length);
    bytes.set(value, at);
    run.end = at + value.length;
  }
}

/** Of 32 bits. */
const MOST_VARINT = 5;

function writeVarint(bytes: Uint8Array, from: number, value: number): number {
  let at = from;
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
  bytes[at] = rest;
  return at + 1;
}

/** Leaves out the first field of a run: tag, length and as many bytes. */
function skipField(run: Run): void {
  const { bytes } = run;
  let at = run.start;
  while ((bytes[at++] as number) > 127);
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] as number;
    length |= (byte & 127) << shift;
    if (byte < 128) break;
  }
  run.start = at + length;
}

/** Lets a run grow by `size`. */
function makeRoom(run: Run, size: number): void {
  const { bytes, start, end } = run;
  if (end + size <= bytes.length) return;
  const length = end - start;
  // Of its own: small buffers share 8 KiB, all of which would live as long as the session.
  run.bytes = Buffer.allocUnsafeSlow(Math.max(LEAST_BYTES, ROOM * (length + size)));
  bytes.copy(run.bytes, 0, start, end);
  run.start = 0;
  run.end = length;
}
