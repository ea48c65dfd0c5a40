// Real captures, in the folder that CAPTURES_FOLDER names: what is extracted is what tshark sees.
import { createReadStream } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadProvisioning } from '../../src/provisioning/load.ts';
import { writeProvisioning } from '../../src/provisioning/write.ts';
import type { CapturedMessage } from '../../src/trace/capture.ts';
import { readCapture } from '../../src/trace/capture.ts';
import { describeRequest } from '../../src/trace/describe.ts';
import { Fitting } from '../../src/trace/fitting.ts';
import { ProblemLog } from '../../src/trace/problem.ts';
import { openTrace } from '../../src/trace/trace.ts';
import { CREDIT_CONTROL, files, pathOf, tshark } from './folder.ts';

/** One line a message: time in microseconds, sender, flags, command, application, both identifiers, session. */
async function byTshark(file: string, filter: string): Promise<string[]> {
  const fields = [
    'frame.time_epoch',
    'ip.src',
    'ipv6.src',
    'diameter.flags',
    'diameter.cmd.code',
    'diameter.applicationId',
    'diameter.hopbyhopid',
    'diameter.endtoendid',
    'diameter.Session-Id',
  ].flatMap((field) => ['-e', field]);
  const separated = ['-E', 'separator=|', '-E', 'aggregator=~'];
  const args = ['-Y', filter, '-T', 'fields', ...fields, ...separated];
  return (await tshark(file, args)).lines.flatMap(messagesOfLine);
}

/** A frame may carry several messages: tshark then joins the values of each field. */
function messagesOfLine(line: string): string[] {
  const [time = '', ipv4 = '', ipv6 = '', ...columns] = line.split('|');
  const lists = columns.map((column) => column.split('~'));
  const [seconds = '', fraction = ''] = time.split('.');
  const at = `${seconds}${fraction.padEnd(6, '0').slice(0, 6)}`;
  const from = ipv4 + ipv6;
  return lists[1]!.map((_, index) =>
    [at, from, ...lists.map((list) => list[index] ?? '')].join('|'),
  );
}

function byUs({ atUs, source, bytes }: CapturedMessage): string {
  const hex = (value: number, digits: number) => `0x${value.toString(16).padStart(digits, '0')}`;
  return [
    atUs,
    source.replace(/:\d+$/, '').replaceAll(/[[\]]/g, ''),
    hex(bytes[4]!, 2),
    bytes.readUIntBE(5, 3),
    bytes.readUInt32BE(8),
    hex(bytes.readUInt32BE(12), 8),
    hex(bytes.readUInt32BE(16), 8),
    firstSessionId(bytes),
  ].join('|');
}

/** Read here byte by byte, not by the code under test. */
function firstSessionId(bytes: Buffer): string {
  for (let at = 20; at + 8 <= bytes.length; ) {
    const length = bytes.readUIntBE(at + 5, 3);
    if (bytes.readUInt32BE(at) === 263) return bytes.toString('utf8', at + 8, at + length);
    at += (length + 3) & ~3;
  }
  return '';
}

test('there are captures to read', () => {
  expect(files.length).toBeGreaterThan(0);
});

const opened = await Promise.all(
  files.map(async (name) => ({ name, trace: await openTrace(pathOf(name)) })),
);

test.for(opened.filter(({ trace }) => trace === undefined))(
  '$name is no capture: tshark finds nothing in it either',
  async ({ name }) => {
    expect((await tshark(pathOf(name), [])).lines).toEqual([]);
  },
);

describe.each(opened.flatMap(({ name, trace }) => (trace === undefined ? [] : { name, trace })))(
  '$name',
  ({ name, trace }) => {
    const file = pathOf(name);

    test('every Diameter message is found, with its time and sender', async () => {
      const problems = new ProblemLog();
      const found: string[] = [];
      for await (const message of readCapture(createReadStream(file), problems)) {
        found.push(byUs(message));
      }
      const { complaint } = await tshark(file, ['-q']);
      expect(problems.total > 0, JSON.stringify(problems.first)).toBe(complaint !== undefined);
      expect(found.sort()).toEqual((await byTshark(file, 'diameter')).sort());
    });

    test('the trace has every credit-control request, by type and with its services', async () => {
      const count = async (more: string) =>
        (await byTshark(file, `${CREDIT_CONTROL} && ${more}`)).length;
      const types: Record<string, number> = { initial: 0, update: 0, termination: 0 };
      let services = 0;
      for await (const entry of trace.entries(new ProblemLog())) {
        const line = describeRequest(entry, 0);
        types[line.type] = (types[line.type] ?? 0) + 1;
        services += line.services.length;
      }
      expect(types).toEqual({
        initial: await count('diameter.CC-Request-Type==1'),
        update: await count('diameter.CC-Request-Type==2'),
        termination: await count('diameter.CC-Request-Type==3'),
      });
      const { lines } = await tshark(file, [
        ...['-Y', CREDIT_CONTROL, '-T', 'fields'],
        ...['-e', 'diameter.Multiple-Services-Credit-Control', '-E', 'occurrence=a'],
      ]);
      expect(services).toBe(lines.flatMap((line) => line.split(',')).length);
    });

    test('the provisioning that fits it loads, with an account a subscriber', async () => {
      const fitting = new Fitting();
      for await (const entry of trace.entries(new ProblemLog())) fitting.add(entry);
      const loaded = loadProvisioning(writeProvisioning(fitting.file(), name), 'fitting.yaml');
      expect(loaded).toMatchObject({ ok: true });
      const { lines } = await tshark(file, [
        ...['-Y', 'diameter.cmd.code==272 && diameter.applicationId==4'],
        ...['-T', 'fields', '-e', 'e212.imsi'],
      ]);
      const subscribers = new Set(lines.flatMap((line) => line.split(',')));
      expect(fitting.accounts).toBe(subscribers.size);
    });
  },
);
