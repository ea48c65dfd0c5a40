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
  for (const value of rest) values.push(value);
  return { keys: names, args: values };
}

/** Calls a script by its digest; rejects with NOSCRIPT when the server does not know it. */
export function evalsha(redis: Redis, script: Script, call: Call): Promise<Reply> {
  return send(redis, 'evalsha', script.sha, call);
}

/** Calls a script by its source, which the server then knows. */
export function evalSource(redis: Redis, script: Script, call: Call): Promise<Reply> {
  return send(redis, 'eval', script.source, call);
}

function send(
  redis: Redis,
  name: 'eval' | 'evalsha',
  script: string,
  { keys, args }: Call,
): Promise<Reply> {
  const bytes = new Encoder(3 + keys.length + args.length);
  bytes.text(name);
  bytes.text(script);
  bytes.text(String(keys.length));
  for (const key of keys) bytes.text(key);
  for (const arg of args) {
    if (typeof arg === 'string') bytes.text(arg);
    else if (typeof arg === 'number') bytes.text(String(arg));
    else bytes.bytes(arg);
  }
  return redis.sendCommand(new Encoded(name, bytes.finish())) as Promise<Reply>;
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
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let used = 0;

/** Writes one command after the other into memory that is never written twice. */
class Encoder {
  #buffer: Buffer = slab;
  #start: number = used;
  #at: number = used;

  constructor(parts: number) {
    this.#reserve(16);
    this.#header(42 /* * */, parts);
  }

  /** A string, as UTF-8. */
  text(text: string): void {
    const { length } = text;
    if (length > 48) {
      this.#long(text);
      return;
    }
    this.#reserve(length + 24);
    const before = this.#at;
    this.#header(36 /* $ */, length);
    const buffer = this.#buffer;
    let at = this.#at;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) {
        this.#at = before;
        this.#long(text);
        return;
      }
      buffer[at++] = code;
    }
    this.#end(at);
  }

  #long(text: string): void {
    const length = Buffer.byteLength(text);
    this.#reserve(length + 24);
    this.#header(36, length);
    this.#end(this.#at + this.#buffer.write(text, this.#at));
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length + 24);
    this.#header(36, bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#end(this.#at + bytes.length);
  }

  finish(): Buffer {
    if (this.#buffer === slab) used = this.#at;
    return this.#buffer.subarray(this.#start, this.#at);
  }

  #header(kind: number, count: number): void {
    const buffer = this.#buffer;
    let at = this.#at;
    buffer[at++] = kind;
    if (count < 10) buffer[at++] = 48 + count;
    else if (count < 100) {
      buffer[at++] = 48 + ((count / 10) | 0);
      buffer[at++] = 48 + (count % 10);
    } else at += buffer.write(String(count), at, 'latin1');
    this.#end(at);
  }

  #end(at: number): void {
    this.#buffer[at] = 13;
    this.#buffer[at + 1] = 10;
    this.#at = at + 2;
  }

  /** Makes room; what was written of this command moves along. */
  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const written = this.#buffer.subarray(this.#start, this.#at);
    const needed = written.length + bytes;
    const next = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * needed));
    next.set(written);
    if (next.length === SLAB_BYTES) slab = next;
    this.#buffer = next;
    this.#start = 0;
    this.#at = written.length;
  }
}
