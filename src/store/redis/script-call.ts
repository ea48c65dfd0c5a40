/**
 * One call of a script on a connection of ioredis: written as RESP bytes straight from its keys
 * and arguments, so that a binary argument is copied once, nothing is kept of it (an error object
 * carries no arguments), and calls made in one turn of the event loop share a system call.
 */
import type { Socket } from 'node:net';
import { Command, type Redis } from 'ioredis';
import type { Script } from './script.ts';

export type Arg = string | number | Uint8Array;

/** What a script replies: strings are bytes here. */
export type Reply = Buffer | null | readonly Reply[];

export interface Call {
  keys: readonly string[];
  args: readonly Arg[];
  /** Arguments after those that have a name. */
  rest: readonly Arg[];
}

/** Keys and arguments in the order in which the script has them. */
export function callOf<Key extends string, Optional extends string, Name extends string>(
  script: Script<Key, Optional, Name>,
  keys: Readonly<Record<Key, string> & Partial<Record<Optional, string>>>,
  args: Readonly<Record<Name, Arg>>,
  rest: readonly Arg[] = [],
): Call {
  const names: string[] = [];
  for (const key of script.keys) names.push(keys[key]);
  for (const key of script.optional) {
    const name: string | undefined = keys[key];
    if (name === undefined) break;
    names.push(name);
  }
  const values: Arg[] = [];
  for (const arg of script.args) values.push(args[arg]);
  return { keys: names, args: values, rest };
}

/** Calls a script by its digest; rejects with NOSCRIPT when the server does not know it. */
export function evalsha(redis: Redis, script: Script, call: Call): Promise<Reply> {
  return send(redis, 'evalsha', script.sha, call);
}

/** Calls a script by its source, which the server then knows. */
export function evalSource(redis: Redis, script: Script, call: Call): Promise<Reply> {
  return send(redis, 'eval', script.source, call);
}

function send(redis: Redis, name: 'eval' | 'evalsha', script: string, call: Call): Promise<Reply> {
  const bytes = encode([name, script, call.keys.length], call);
  return redis.sendCommand(new Encoded(name, bytes)) as Promise<Reply>;
}

/** A command that is encoded already. */
class Encoded extends Command {
  readonly #bytes: Buffer;

  constructor(name: string, bytes: Buffer) {
    super(name, [], { replyEncoding: null });
    this.#bytes = bytes;
  }

  override toWritable(socket: object): Buffer {
    gather(socket as Socket);
    return this.#bytes;
  }
}

const gathering = new WeakSet<Socket>();

/** Lets what is written until the end of this turn go out together. */
function gather(socket: Socket): void {
  if (gathering.has(socket)) return;
  gathering.add(socket);
  socket.cork();
  process.nextTick(() => {
    gathering.delete(socket);
    socket.uncork();
  });
}

const SLAB_BYTES = 65_536;
/** Room for the kind, the length and the ends of one part. */
const FRAME_BYTES = 24;
const ASTERISK = 42;
const DOLLAR = 36;
const ZERO = 48;

/** Where commands are written, one after the other; what was written is never written again. */
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let used = 0;

/** A command as RESP bytes. */
function encode(command: readonly Arg[], { keys, args, rest }: Call): Buffer {
  const bound = FRAME_BYTES + roomFor(command) + roomFor(keys) + roomFor(args) + roomFor(rest);
  if (used + bound > slab.length) {
    slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bound));
    used = 0;
  }
  const start = used;
  const parts = command.length + keys.length + args.length + rest.length;
  let at = writeHeader(start, ASTERISK, parts);
  at = writeParts(writeParts(at, command), keys);
  at = writeParts(writeParts(at, args), rest);
  used = at;
  return slab.subarray(start, at);
}

function roomFor(parts: readonly Arg[]): number {
  let bound = 0;
  for (const part of parts)
    bound += FRAME_BYTES + (typeof part === 'string' ? 3 * part.length : bytesOf(part));
  return bound;
}

function writeParts(from: number, parts: readonly Arg[]): number {
  let at = from;
  for (const part of parts) {
    if (typeof part === 'string') at = writeText(at, part);
    else if (typeof part === 'number') at = writeText(at, String(part));
    else {
      at = writeHeader(at, DOLLAR, part.length);
      slab.set(part, at);
      at = writeEnd(at + part.length);
    }
  }
  return at;
}

/** An integer of a double has 17 characters at most. */
const bytesOf = (part: number | Uint8Array): number =>
  typeof part === 'number' ? 17 : part.length;

/** A string as UTF-8: short ones are mostly ASCII, which is copied without a native call. */
function writeText(at: number, text: string): number {
  const { length } = text;
  if (length > 48) return writeLong(at, text);
  let end = writeHeader(at, DOLLAR, length);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return writeLong(at, text);
    slab[end++] = code;
  }
  return writeEnd(end);
}

function writeLong(at: number, text: string): number {
  const body = writeHeader(at, DOLLAR, Buffer.byteLength(text));
  return writeEnd(body + slab.write(text, body));
}

function writeHeader(at: number, kind: number, count: number): number {
  slab[at] = kind;
  if (count < 10) {
    slab[at + 1] = ZERO + count;
    return writeEnd(at + 2);
  }
  if (count < 100) {
    slab[at + 1] = ZERO + ((count / 10) | 0);
    slab[at + 2] = ZERO + (count % 10);
    return writeEnd(at + 3);
  }
  return writeEnd(at + 1 + slab.write(String(count), at + 1, 'latin1'));
}

function writeEnd(at: number): number {
  slab[at] = 13;
  slab[at + 1] = 10;
  return at + 2;
}
