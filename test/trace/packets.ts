// Builds capture files byte by byte, independently of the readers under test.

const be16 = (value: number) => Buffer.from([(value >> 8) & 0xff, value & 0xff]);
const be32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};

export function u32(value: number, littleEndian: boolean): Buffer {
  return littleEndian ? be32(value).reverse() : be32(value);
}

export function u16(value: number, littleEndian: boolean): Buffer {
  return littleEndian ? be16(value).reverse() : be16(value);
}

/** A Diameter message with one AVP of `fill` bytes, so that every message is distinct. */
export function diameter(options: {
  command: number;
  hopByHop: number;
  request?: boolean;
  application?: number;
  fill?: number;
}): Buffer {
  const session = Buffer.from(`gw.example;1;${options.hopByHop};`.padEnd(options.fill ?? 24, 'x'));
  const avpLength = 8 + session.length;
  const padding = Buffer.alloc((4 - (avpLength % 4)) % 4);
  const avp = Buffer.concat([be32(263), Buffer.from([0x40]), be32(avpLength).subarray(1), session]);
  const length = 20 + avp.length + padding.length;
  return Buffer.concat([
    Buffer.from([1]),
    be32(length).subarray(1),
    Buffer.from([options.request === false ? 0x40 : 0xc0]),
    be32(options.command).subarray(1),
    be32(options.application ?? 4),
    be32(options.hopByHop),
    be32(options.hopByHop + 0x1000),
    avp,
    padding,
  ]);
}

export interface SegmentOptions {
  sequence: number;
  payload?: Buffer;
  acknowledged?: number;
  /** CWR ECE URG ACK PSH RST SYN FIN; ACK is set by `acknowledged`. */
  flags?: number;
  ports?: readonly [number, number];
}

export function tcp(options: SegmentOptions): Buffer {
  const [from, to] = options.ports ?? [40000, 3868];
  const ack = options.acknowledged === undefined ? 0 : 0x10;
  return Buffer.concat([
    be16(from),
    be16(to),
    be32(options.sequence),
    be32(options.acknowledged ?? 0),
    Buffer.from([0x60, (options.flags ?? 0) | ack]),
    be16(65535),
    be32(0),
    Buffer.from([1, 1, 1, 1]),
    options.payload ?? Buffer.alloc(0),
  ]);
}

export function sctp(
  chunks: { sequence: number; payload: Buffer; flags?: number }[],
  ports: readonly [number, number] = [40000, 3868],
): Buffer {
  const sack = Buffer.concat([Buffer.from([3, 0]), be16(16), Buffer.alloc(12)]);
  const data = chunks.map(({ sequence, payload, flags }) =>
    Buffer.concat([
      Buffer.from([0, flags ?? 3]),
      be16(16 + payload.length),
      be32(sequence),
      be16(0),
      be16(0),
      be32(46),
      payload,
      Buffer.alloc((4 - (payload.length % 4)) % 4),
    ]),
  );
  return Buffer.concat([be16(ports[0]), be16(ports[1]), be32(0x11), be32(0), sack, ...data]);
}

export function ipv4(payload: Buffer, options: { protocol?: number; reverse?: boolean } = {}) {
  const ends = [Buffer.from([10, 0, 0, 1]), Buffer.from([10, 0, 0, 2])];
  if (options.reverse) ends.reverse();
  return Buffer.concat([
    Buffer.from([0x45, 0]),
    be16(20 + payload.length),
    be32(0x00004000),
    Buffer.from([64, options.protocol ?? 6, 0, 0]),
    ...ends,
    payload,
  ]);
}

/** With a hop-by-hop options header in front of TCP. */
export function ipv6(payload: Buffer): Buffer {
  const address = (last: number) =>
    Buffer.concat([be16(0x2001), be16(0xdb8), Buffer.alloc(11), Buffer.from([last])]);
  const extension = Buffer.from([6, 0, 1, 4, 0, 0, 0, 0]);
  return Buffer.concat([
    be32(0x60000000),
    be16(extension.length + payload.length),
    Buffer.from([0, 64]),
    address(1),
    address(2),
    extension,
    payload,
  ]);
}

export function ethernet(payload: Buffer, etherType = 0x0800, vlans: number[] = []): Buffer {
  const tags = vlans.map((id) => Buffer.concat([be16(0x8100), be16(id)]));
  return Buffer.concat([Buffer.alloc(12, 2), ...tags, be16(etherType), payload]);
}

export interface PcapOptions {
  littleEndian?: boolean;
  nanoseconds?: boolean;
  linkType?: number;
}

/** Packets are half a millisecond apart, from 1 700 000 000 s on. */
export function pcap(packets: Buffer[], options: PcapOptions = {}): Buffer {
  const little = options.littleEndian ?? true;
  const word = (value: number) => u32(value, little);
  const unit = options.nanoseconds ? 1000 : 1;
  const header = [
    word(options.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4),
    u16(2, little),
    u16(4, little),
    word(0),
    word(0),
    word(262144),
    word(options.linkType ?? 1),
  ];
  const records = packets.flatMap((packet, index) => [
    word(1_700_000_000),
    word(index * 500 * unit),
    word(packet.length),
    word(packet.length),
    packet,
  ]);
  return Buffer.concat([...header, ...records]);
}

export function block(type: number, body: Buffer, littleEndian: boolean): Buffer {
  const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
  const length = u32(12 + padded.length, littleEndian);
  return Buffer.concat([u32(type, littleEndian), length, padded, length]);
}

export interface PcapngOptions {
  littleEndian?: boolean;
  linkType?: number;
  /** The if_tsresol byte. */
  resolution?: number;
  /** Ticks of that resolution for each packet. */
  ticks?: bigint[];
}

export function pcapng(packets: Buffer[], options: PcapngOptions = {}): Buffer {
  const little = options.littleEndian ?? true;
  const resolution =
    options.resolution === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([
          u16(9, little),
          u16(1, little),
          Buffer.from([options.resolution, 0, 0, 0]),
          u32(0, little),
        ]);
  const section = Buffer.concat([
    u32(0x1a2b3c4d, little),
    u16(1, little),
    u16(0, little),
    Buffer.alloc(8, 0xff),
  ]);
  const description = [u16(options.linkType ?? 1, little), u16(0, little), u32(0, little)];
  const blocks = packets.map((packet, index) => {
    const ticks = options.ticks?.[index] ?? 1_700_000_000_000_000n + BigInt(index * 500);
    const head = [0, Number(ticks >> 32n), Number(ticks & 0xffffffffn), packet.length];
    const words = [...head, packet.length].map((value) => u32(value, little));
    return block(6, Buffer.concat([...words, packet]), little);
  });
  return Buffer.concat([
    block(0x0a0d0d0a, section, little),
    block(1, Buffer.concat([...description, resolution]), little),
    block(0xbad, Buffer.from('not for us'), little),
    ...blocks,
  ]);
}

/** The bytes in chunks of `size`, as a file stream would give them. */
export async function* chunked(bytes: Buffer, size = bytes.length): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
