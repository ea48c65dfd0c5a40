/**
 * Answers as Wireshark's dissector reads them: every AVP under its name with its value, and nothing
 * malformed. It shares neither code nor dictionary with the encoder.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import type { Answer } from '../../src/charging/answer.ts';
import type { Final } from '../../src/charging/plan.ts';
import { writePcap } from '../captures/wire.ts';
import { avp, group } from '../diameter/bytes.ts';
import { type Asked, answerOctets, EVENT, INITIAL, serviceAnswer } from '../ro/answering.ts';
import { NOW } from '../ro/asking.ts';

const folder = mkdtempSync(join(tmpdir(), 'dissector-'));
afterAll(() => rmSync(folder, { recursive: true }));
const run = promisify(execFile);

/** What stands in every answer. */
const COMMON = 7;
const AVP = /^( +)AVP: (\S+?)\(\d+\) l=\d+ f=\S+(?: vnd=\S+)?(?: val=(.*))?$/;

interface Dissected {
  /** `name value`, members of groups indented by two more each. */
  lines: string[];
  /** What the dissector has to say against it. */
  complaints: string[];
}

async function dissected(name: string, octets: Buffer): Promise<Dissected> {
  const file = join(folder, `${name}.pcap`);
  const at = { connection: 1, atUs: NOW * 1000 };
  writePcap(file, [
    { ...at, way: 'opened', octets: Buffer.alloc(0) },
    { ...at, way: 'answered', octets },
  ]);
  const env = { ...process.env, TZ: 'UTC' };
  const all = ['-r', file, '-Y', 'diameter'];
  const verbose = await run('tshark', [...all, '-V', '-O', 'diameter'], { env });
  const told = ['-T', 'fields', '-e', '_ws.malformed', '-e', '_ws.expert.message'];
  const complaints = await run('tshark', [...all, ...told], { env });
  const lines: string[] = [];
  for (const line of verbose.stdout.split('\n')) {
    const found = AVP.exec(line);
    if (found === null) continue;
    const [, indent = '', avpName = '', value] = found;
    const depth = Math.round((indent.length - 4) / 8);
    lines.push(`${'  '.repeat(depth)}${avpName}${value === undefined ? '' : ` ${value}`}`);
  }
  return {
    lines: lines.slice(COMMON),
    complaints: complaints.stdout.split(/\s*\n\s*|\t/).filter(Boolean),
  };
}

interface Expected {
  lines: string;
  complaints?: readonly string[];
}

/** What the dissector reads of an answer, after what every answer has. */
async function expectRead(
  name: string,
  answer: Partial<Answer>,
  asked: Asked,
  { lines, complaints = [] }: Expected,
) {
  const found = await dissected(name, answerOctets(answer, asked));
  expect(found.lines.join('\n')).toBe(lines.replace(/^\n|\n *$/g, '').replace(/^ {6}/gm, ''));
  expect(found.complaints).toEqual(complaints);
}

describe('the dissector reads', () => {
  test('C-122 C-160 G-060 a grant around a tariff change, with all that goes with it', async () => {
    const service = serviceAnswer({
      ...{ granted: { unit: 'octets', units: 10_000_000 }, beside: { seconds: 60, units: 4 } },
      ...{ serviceIds: [7, 8], validitySeconds: 3600, holdingSeconds: 60 },
      directives: { threshold: 100, consumptionSeconds: 7, envelopes: 2, triggers: [2, 30] },
      ...{ pool: { id: 3, digits: 10, exponent: -6 }, tariffChange: { at: NOW, after: 5000 } },
    });
    const rest = (usage: string) => `
        Tariff-Change-Usage ${usage}
        Service-Identifier 7
        Service-Identifier 8
        Rating-Group 1
        G-S-U-Pool-Reference
          G-S-U-Pool-Identifier 3
          CC-Unit-Type TOTAL-OCTETS (2)
          Unit-Value
            Value-Digits 10
            Exponent -6
        Validity-Time 3600
        Result-Code DIAMETER_SUCCESS (2001)
        Volume-Quota-Threshold 100
        Quota-Holding-Time 60
        Quota-Consumption-Time 7
        Trigger
          Trigger-Type CHANGE_IN_QOS (2)
          Trigger-Type CHANGEINLOCATION_MCC (30)
        Envelope-Reporting REPORT_ENVELOPES_WITH_VOLUME (2)`;
    const quota = (units: number) => `
      Multiple-Services-Credit-Control
        Granted-Service-Unit
          Tariff-Time-Change Nov 21, 2025 12:25:00.000000000 UTC
          CC-Time 60
          CC-Total-Octets ${units}
          CC-Service-Specific-Units 4`;
    await expectRead(
      'switch',
      { services: [service] },
      { replace: INITIAL },
      {
        lines: `
      CC-Session-Failover FAILOVER_SUPPORTED (1)${quota(10_000_000)}${rest('UNIT_BEFORE_TARIFF_CHANGE (0)')}${quota(5000)}${rest('UNIT_AFTER_TARIFF_CHANGE (1)')}
      `,
      },
    );
  });

  test('C-143 C-171 G-046 G-123 final units, time, costs and balances', async () => {
    const final: Final = {
      action: 'redirect',
      redirect: { type: 1, address: '2001:DB8:0::1' },
      filters: ['permit in ip from any to 192.0.2.0/24'],
      filterIds: ['topup'],
    };
    const timeMechanism = { type: 'continuous', intervalSeconds: 30 } as const;
    await expectRead(
      'final',
      {
        services: [
          serviceAnswer({
            ...{ granted: { unit: 'seconds', units: 90 }, final },
            directives: { threshold: 20, timeMechanism },
          }),
          serviceAnswer({ ratingGroup: 2, outcome: 'credit-limit-reached' }),
          serviceAnswer({ ratingGroup: 3, outcome: 'success', directives: { triggers: [] } }),
        ],
        ...{ cost: 1234, remaining: -250, lowBalance: true },
        ...{ failureHandling: 'retry-and-terminate', debitFailureHandling: 'continue' },
      },
      {},
      {
        lines: `
      CC-Session-Failover FAILOVER_SUPPORTED (1)
      Multiple-Services-Credit-Control
        Granted-Service-Unit
          CC-Time 90
        Rating-Group 1
        Result-Code DIAMETER_SUCCESS (2001)
        Final-Unit-Indication
          Final-Unit-Action REDIRECT (1)
          Restriction-Filter-Rule permit in ip from any to 192.0.2.0/24
          Filter-Id topup
          Redirect-Server
            Redirect-Address-Type IPV6_ADDRESS (1)
            Redirect-Server-Address 2001:db8::1
        Time-Quota-Threshold 20
        Time-Quota-Mechanism
          Time-Quota-Type CONTINUOUS_TIME_PERIOD (1)
          Base-Time-Interval 30
      Multiple-Services-Credit-Control
        Rating-Group 2
        Result-Code DIAMETER_CREDIT_LIMIT_REACHED (4012)
      Multiple-Services-Credit-Control
        Rating-Group 3
        Result-Code DIAMETER_SUCCESS (2001)
        Trigger
      Cost-Information
        Unit-Value
          Value-Digits 1234
          Exponent -2
        Currency-Code 978
      Low-Balance-Indication YES (1)
      Remaining-Balance
        Unit-Value
          Value-Digits -250
          Exponent -2
        Currency-Code 978
      Credit-Control-Failure-Handling RETRY_AND_TERMINATE (2)
      Direct-Debiting-Failure-Handling CONTINUE (1)
      `,
        // It finds an empty group worth a remark.
        complaints: ['Data is empty'],
      },
    );
  });

  test('C-182 C-183 G-048 what became of events', async () => {
    const asked = { replace: EVENT, more: [avp(436, 0), group(437, [avp(420, 5)])] };
    await expectRead(
      'event',
      {
        level: 'command',
        services: [serviceAnswer({ granted: { unit: 'money', units: 250 } })],
        ...{ enough: false, refundInformation: Buffer.from('ab') },
      },
      asked,
      {
        lines: `
      CC-Session-Failover FAILOVER_SUPPORTED (1)
      Granted-Service-Unit
        CC-Money
          Unit-Value
            Value-Digits 250
            Exponent -2
          Currency-Code 978
      Check-Balance-Result NO_CREDIT (1)
      Refund-Information 6162
      `,
      },
    );
  });

  test('C-111 C-170 what could not be rated', async () => {
    const dollars = group(413, [group(445, [avp(447, Buffer.alloc(8, 1))]), avp(425, 840)]);
    await expectRead(
      'failed',
      { outcome: 'rating-failed' },
      { more: [group(437, [dollars])] },
      {
        lines: `
      Failed-AVP
        CC-Money
          Unit-Value
            Value-Digits 72340172838076673
          Currency-Code 840
      `,
      },
    );
  });
});
