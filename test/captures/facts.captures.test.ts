// What real requests say that rules match on: as tshark reads them.
import { describe, expect, test } from 'vitest';
import { decode } from '../../src/diameter/decode.ts';
import { identify } from '../../src/ro/identify.ts';
import { type SessionRequest, toRequest } from '../../src/ro/request.ts';
import { ProblemLog } from '../../src/trace/problem.ts';
import { openTrace } from '../../src/trace/trace.ts';
import { CREDIT_CONTROL, files, pathOf, tshark } from './folder.ts';

const fields = [
  'diameter.Session-Id',
  'diameter.CC-Request-Number',
  'diameter.Service-Context-Id',
  'diameter.Called-Station-Id',
  'diameter.3GPP-RAT-Type',
  'diameter.3GPP-SGSN-MCC-MNC',
].flatMap((field) => ['-e', field]);

/** A line for each request that has a frame to itself. */
async function byTshark(file: string): Promise<string[]> {
  const { lines } = await tshark(file, ['-Y', CREDIT_CONTROL, '-T', 'fields', ...fields]);
  return lines.filter((line) => !line.split('\t', 1)[0]?.includes(','));
}

async function byUs(name: string): Promise<string[]> {
  const trace = await openTrace(pathOf(name));
  const found: string[] = [];
  for await (const { request } of trace?.entries(new ProblemLog()) ?? []) {
    const decoded = decode(request);
    const identified = decoded.name === 'CCR' ? identify(decoded.message) : undefined;
    if (decoded.name !== 'CCR' || identified === undefined) continue;
    const { sessionId, number, context, sentContext, facts, information } = toRequest(
      decoded.message,
      identified as SessionRequest,
      { currency: { code: 978, digits: 2 }, information: decoded.raw.serviceInformation },
    );
    expect(request.includes(Buffer.from(information ?? []))).toBe(true);
    const { apn = '', rat, visited = '' } = facts ?? {};
    const access = rat === undefined ? '' : rat.toString(16).padStart(2, '0');
    found.push([sessionId, number, sentContext ?? context, apn, access, visited].join('\t'));
  }
  return found;
}

describe.each(files)('%s', (name) => {
  test('G-102 G-104 G-109 each request says what tshark reads of it', async () => {
    const alone = await byTshark(pathOf(name));
    const found = new Set(await byUs(name));
    for (const line of alone) expect(found).toContain(line);
  });
});
