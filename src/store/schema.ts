/**
 * The messages of `proto/`, compiled by protobufjs when the process starts, for the codecs of
 * sessions and records.
 */
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

// Figures are JavaScript numbers, exact to 2^53 - 1, which is the range of every figure here.
protobuf.util.Long = null as unknown as typeof protobuf.util.Long;
protobuf.configure();

const folder = fileURLToPath(new URL('../../proto/', import.meta.url));

/** Everything that the store keeps encoded. */
export const storeSchema: protobuf.Root = new protobuf.Root().loadSync([
  `${folder}session.proto`,
  `${folder}record.proto`,
  `${folder}event.proto`,
]);

/** A message with fields that this version's schema does not name. */
export interface Unknowns {
  $unknowns?: Uint8Array[];
}

export interface MessageCodec<Message> {
  encode(message: Message): Uint8Array;
  /** Fields that the schema does not know are kept in `$unknowns`, at every depth. */
  decode(bytes: Uint8Array): Message;
}

/** Most figures fit 32 bits, which are written without taking them apart. */
class ScratchWriter extends protobuf.BufferWriter {
  override uint64(value: number): protobuf.Writer {
    return value >= 0 && value <= 0xffff_ffff ? this.uint32(value) : super.uint64(value);
  }

  override int64(value: number): protobuf.Writer {
    return this.uint64(value);
  }
}

/** Used again for every message, which is copied out of it; a large one is not kept. */
let scratch = new ScratchWriter();
const KEPT_SCRATCH_BYTES = 65_536;

/** The codec of one message; absent members are at their default when read. */
export function messageCodec<Message>(schema: protobuf.Root, name: string): MessageCodec<Message> {
  const type = schema.lookupType(`tollkeeper.${name}`).setup();
  return {
    encode(message) {
      const writer = scratch;
      writer.pos = 0;
      try {
        return type.encode(message as Record<string, unknown>, writer).finish();
      } catch (error) {
        scratch = new ScratchWriter();
        throw error;
      } finally {
        if (writer.pos > KEPT_SCRATCH_BYTES) scratch = new ScratchWriter();
      }
    },
    decode(bytes) {
      const reader = protobuf.Reader.create(bytes);
      reader.discardUnknown = false;
      return type.decode(reader) as unknown as Message;
    },
  };
}

const LENGTH_DELIMITED = 2;

/** What a message's field of text, bytes or a message begins with: its number and its kind. */
export function tagOf(schema: protobuf.Root, name: string, field: string): number {
  return (schema.lookupType(`tollkeeper.${name}`).fields[field]!.id << 3) | LENGTH_DELIMITED;
}

/** protobufjs has null for an absent member that has no default. */
export type Optional<Value> = Value | null | undefined;

export const isPresent = <Value>(value: Optional<Value>): value is Value =>
  value !== undefined && value !== null;

/** An enumeration's values as the core's words: UNIT_OCTETS is `octets`. */
export interface Words<Word extends string> {
  toNumber: Readonly<Record<Word, number>>;
  /** A value that only a newer version knows throws: it cannot be acted on. */
  toWord(value: number): Word;
}

export function words<Word extends string>(schema: protobuf.Root, name: string): Words<Word> {
  const { values } = schema.lookupEnum(`tollkeeper.${name}`);
  const prefix = `${name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}_`;
  const byNumber: Word[] = [];
  const toNumber: Record<string, number> = {};
  for (const [key, value] of Object.entries(values)) {
    const word = key.slice(prefix.length).toLowerCase().replaceAll('_', '-');
    byNumber[value] = word as Word;
    toNumber[word] = value;
  }
  return {
    toNumber: toNumber as Record<Word, number>,
    toWord(value) {
      const word = byNumber[value];
      if (word === undefined) throw new RangeError(`${name} ${value} is not known to this version`);
      return word;
    },
  };
}
