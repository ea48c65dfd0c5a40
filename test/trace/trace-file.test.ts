/** Our own trace format, written and read. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CapturedMessage } from '../../src/trace/capture.ts';
import { captureEntries } from '../../src/trace/capture-entries.ts';
import { dataSessions, defaultProfile } from '../../src/trace/generate.ts';
import { ProblemLog } from '../../src/trace/problem.ts';
import { sampleOutOfCredit, sampleTrace } from '../../src/trace/sample.ts';
import { openTrace } from '../../src/trace/trace.ts';
import {
  encodeHeader,
  readTrace,
  type TraceEntry,
  writeTrace,
} from '../../src/trace/trace-file.ts';
import { chunked, ethernet, ipv4, pcap, tcp } from './packets.ts';
import { avp, find, message } from './toy-server.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollkeeper-trace-'));
});
afterAll(() => rm(folder, { recursive: true }));

const entries = [...dataSessions({ ...defaultProfile, sessions: 5, updates: 1 })];

async function written(list: TraceEntry[]): Promise<Buffer> {
  const path = join(folder, `${Math.random()}.tktrace`);
  expect(await writeTrace(path, 'a test', list)).toBe(list.length);
  return readFile(path);
}

async function read(file: Buffer, chunkBytes = file.length || 1) {
  const problems = new ProblemLog();
  const found: TraceEntry[] = [];
  for await (const entry of readTrace(chunked(file, chunkBytes), problems)) found.push(entry);
  return { found, problems: problems.first };
}

describe('trace files', () => {
  test('what is written is read, in chunks of any size', async () => {
    const file = await written(entries);
    for (const size of [1, 2, 7, 100, 1000, file.length]) {
      expect(await read(file, size)).toEqual({ found: entries, problems: [] });
    }
  });

  test('the bytes are those of proto/trace.proto', async () => {
    const entry: TraceEntry = {
      atUs: 300,
      connection: 2,
      session: 'ab',
      afterAnswer: true,
      request: Buffer.from([1, 2, 3]),
    };
    const file = await written([{ ...entry, atUs: 0, connection: 0, afterAnswer: false }, entry]);
    const tail = file.subarray(-16).toString('hex');
    // 15 bytes: offset 300, connection 2, session, after_answer, request
    expect(tail).toBe(`0f${'08ac02'}${'1002'}${'1a026162'}${'2001'}${'2a03010203'}`.slice(-32));
    expect(file.subarray(0, 24).toString('latin1')).toContain('tollkeeper-trace');
  });

  test('an empty trace has a header', async () => {
    expect(await read(await written([]))).toEqual({ found: [], problems: [] });
  });

  test('a file that ends early gives what is whole and says so', async () => {
    const file = await written(entries);
    const { found, problems } = await read(file.subarray(0, file.length - 1));
    expect(found).toEqual(entries.slice(0, -1));
    expect(problems).toEqual([
      { offset: expect.any(Number), text: 'the file ends inside a record' },
    ]);
  });

  test('fields of a later writer are passed over, a later version is refused', async () => {
    const file = await written(entries.slice(0, 1));
    // Offset 7, session x, and a field 100 of which nothing is known.
    const later = Buffer.concat([file, Buffer.from('0808071a0178a00601', 'hex')]);
    const { found, problems } = await read(later);
    expect(problems).toEqual([]);
    expect(found.at(-1)).toMatchObject({ session: 'x', atUs: entries[0]!.atUs + 7 });

    const version = encodeHeader({ source: '', startedAtUs: 0 });
    version[version.indexOf(Buffer.from([0x10, 1])) + 1] = 2;
    expect((await read(version)).problems).toEqual([
      { offset: 0, text: 'a trace of format version 2; this version of the program reads 1' },
    ]);
  });

  test('garbage never throws', async () => {
    const file = await written(entries);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.uint8Array({ maxLength: 50 }),
        async (edits, tail) => {
          const broken = Buffer.concat([file, tail]);
          for (const [at, byte] of edits) broken[at] = byte;
          await read(broken, 333);
        },
      ),
    );
    expect((await read(Buffer.alloc(0))).problems).toEqual([
      { offset: 0, text: 'not a trace file' },
    ]);
    expect((await read(Buffer.alloc(40, 0xff))).problems).toHaveLength(1);
  });

  test('files are told apart by their first bytes', async () => {
    const capture = pcap([ethernet(ipv4(tcp({ sequence: 1, payload: entries[0]!.request })))]);
    const files = { capture, trace: await written(entries), other: Buffer.from('name,amount\n') };
    const kinds: unknown[] = [];
    for (const [name, bytes] of Object.entries(files)) {
      await writeFile(join(folder, name), bytes);
      const trace = await openTrace(join(folder, name));
      kinds.push(trace?.kind);
      for (let times = 0; trace !== undefined && times < 2; times += 1) {
        const sessions: string[] = [];
        for await (const entry of trace.entries(new ProblemLog())) sessions.push(entry.session);
        expect(sessions[0]).toBe(entries[0]!.session);
      }
    }
    expect(kinds).toEqual(['capture', 'trace', undefined]);
  });
});

describe('entries of a capture', () => {
  const captured = (
    is: 'request' | 'answer',
    session: string,
    hopByHop: number,
    more: { command?: number; connection?: number } = {},
  ): CapturedMessage => ({
    atUs: hopByHop * 1000,
    offset: 0,
    connection: more.connection ?? 4,
    transport: 'tcp',
    source: 'a',
    destination: 'b',
    bytes: message(
      {
        command: more.command ?? 272,
        flags: is === 'request' ? 0xc0 : 0x40,
        application: 4,
        hopByHop,
        endToEnd: 1,
      },
      [avp(263, session)],
    ),
  });
  async function waits(messages: CapturedMessage[]) {
    async function* source() {
      yield* messages;
    }
    const found: [string, boolean, number][] = [];
    for await (const entry of captureEntries(source())) {
      found.push([entry.session, entry.afterAnswer, entry.connection]);
    }
    return found;
  }

  test('a request after the answer to the previous one waits, a copy before it does not', async () => {
    expect(
      await waits([
        captured('request', 's', 1),
        captured('request', 's', 2),
        captured('request', 't', 3, { connection: 9 }),
        captured('answer', 's', 1),
        captured('answer', 's', 2),
        captured('request', 's', 4),
        captured('request', 'u', 5, { command: 258 }),
      ]),
    ).toEqual([
      ['s', false, 0],
      // No answer has been seen on the connection yet, so nothing is known: it waits.
      ['s', true, 0],
      ['t', false, 1],
      ['s', true, 0],
    ]);
    expect(
      await waits([
        captured('request', 'r', 1),
        captured('answer', 'r', 1),
        captured('request', 's', 2),
        captured('request', 's', 3),
      ]),
    ).toEqual([
      ['r', false, 0],
      ['s', false, 0],
      ['s', false, 0],
    ]);
  });
});

describe('generator', () => {
  test('is the same for the same seed and ordered by time', () => {
    const profile = { ...defaultProfile, sessions: 20, startIntervalUs: 7_000 };
    const made = [...dataSessions(profile)];
    expect(made).toEqual([...dataSessions(profile)]);
    expect(made).not.toEqual([...dataSessions({ ...profile, seed: 2 })]);
    expect(made).toHaveLength(200);
    expect(made.map(({ atUs }) => atUs)).toEqual(
      made.map(({ atUs }) => atUs).sort((a, b) => a - b),
    );
    const first = made.filter(({ session }) => session === made[0]!.session);
    const types = first.map(({ request }) => find(request, 416)!.readUInt32BE(0));
    expect(types).toEqual([1, 2, 2, 2, 2, 2, 2, 2, 2, 3]);
    expect(first.map(({ afterAnswer }) => afterAnswer)).toEqual([false, ...Array(9).fill(true)]);
  });

  test('the sample is 20 subscribers of two operators, 198 requests in 5 s', () => {
    const sample = sampleTrace();
    expect(sample).toHaveLength(198);
    expect(new Set(sample.map(({ session }) => session)).size).toBe(20);
    expect((sample.at(-1)!.atUs - sample[0]!.atUs) / 1e6).toBeLessThan(5);
    expect(sample.some(({ request }) => request.includes(sampleOutOfCredit))).toBe(true);
    expect(sample.filter(({ request }) => request[4]! & 0x10).length).toBeGreaterThan(2);
  });
});
