/**
 * How long decoding and encoding take: an update with two services, subscriber identities and
 * PS-Information as a packet gateway sends it, and its answer. One message after the other, one
 * thread, no socket.
 */
import { Bench } from 'tinybench';
import { answerFailure } from '../src/diameter/answer.ts';
import type { CCA, CCR } from '../src/diameter/commands.ts';
import { decode } from '../src/diameter/decode.ts';
import { encode } from '../src/diameter/encode.ts';
import { failure } from '../src/diameter/failure.ts';
import { Framer } from '../src/diameter/framer.ts';
import type { Figure } from './figure.ts';

const ids = { applicationId: 4, hopByHop: 0x11223344, endToEnd: 0x55667788, proxiable: true };

const ccr: CCR = {
  'Session-Id': 'pgw01.epc.mnc001.mcc001.3gppnetwork.org;1700000000;42;gy',
  'Origin-Host': 'pgw01.epc.mnc001.mcc001.3gppnetwork.org',
  'Origin-Realm': 'epc.mnc001.mcc001.3gppnetwork.org',
  'Destination-Realm': 'ocs.mvne.example',
  'Auth-Application-Id': 4,
  'Service-Context-Id': '32251@3gpp.org',
  'CC-Request-Type': 2,
  'CC-Request-Number': 17,
  'Event-Timestamp': 1_700_000_000,
  'Subscription-Id': [
    { 'Subscription-Id-Type': 0, 'Subscription-Id-Data': '491700000042' },
    { 'Subscription-Id-Type': 1, 'Subscription-Id-Data': '001010000000042' },
  ],
  'Multiple-Services-Credit-Control': [1, 2].map((ratingGroup) => ({
    'Requested-Service-Unit': {},
    'Used-Service-Unit': [{ 'CC-Total-Octets': 1_048_576n }],
    'Rating-Group': ratingGroup,
    'Reporting-Reason': [3],
  })),
  'Service-Information': {
    'PS-Information': {
      '3GPP-Charging-Id': Buffer.from('0000002a', 'hex'),
      '3GPP-PDP-Type': 0,
      'PDP-Address': [{ family: 1, address: '10.45.0.42' }],
      'SGSN-Address': [{ family: 1, address: '192.0.2.10' }],
      'GGSN-Address': [{ family: 1, address: '192.0.2.20' }],
      'Called-Station-Id': 'internet',
      '3GPP-SGSN-MCC-MNC': '00101',
      '3GPP-NSAPI': Buffer.from('5'),
      '3GPP-User-Location-Info': Buffer.from('8200f110000100f11000000101', 'hex'),
      '3GPP-RAT-Type': Buffer.of(6),
      '3GPP-MS-TimeZone': Buffer.from('4000', 'hex'),
    },
  },
};

const cca: CCA = {
  'Session-Id': ccr['Session-Id'],
  'Result-Code': 2001,
  'Origin-Host': 'ocs01.mvne.example',
  'Origin-Realm': 'mvne.example',
  'Auth-Application-Id': 4,
  'CC-Request-Type': 2,
  'CC-Request-Number': 17,
  'CC-Session-Failover': 1,
  'Multiple-Services-Credit-Control': [1, 2].map((ratingGroup) => ({
    'Granted-Service-Unit': { 'CC-Total-Octets': 10_485_760n },
    'Rating-Group': ratingGroup,
    'Validity-Time': 3600,
    'Result-Code': 2001,
    'Volume-Quota-Threshold': 1_048_576,
  })),
};

const request = encode('CCR', ids, ccr);
const raw = { sessionId: Buffer.from(ccr['Session-Id']) };
const chunk = Buffer.concat(new Array<Buffer>(100).fill(request));

export async function* codec({ ms }: { ms: number }): AsyncGenerator<Figure> {
  const bench = new Bench({ time: ms, warmupTime: ms / 2 });
  bench
    .add(`decode a CCR of ${request.length} octets`, () => {
      decode(request);
    })
    .add(`encode a CCA of ${encode('CCA', ids, cca).length} octets`, () => {
      encode('CCA', ids, cca, raw);
    })
    .add(`encode a CCR of ${request.length} octets`, () => {
      encode('CCR', ids, ccr);
    })
    .add('answer a request that cannot be served', () => {
      answerFailure(
        decode(request),
        { host: 'ocs01.mvne.example', realm: 'mvne.example' },
        failure('DIAMETER_UNABLE_TO_COMPLY', 'defect'),
      );
    })
    .add('cut a chunk of 100 messages', () => {
      new Framer(() => undefined).push(chunk);
    });
  await bench.run();
  for (const { name, result } of bench.tasks) {
    if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`);
    const { p50, min, p99 } = result.latency;
    yield { bench: 'codec', name, unit: 'us', value: p50 * 1000, range: [min * 1000, p99 * 1000] };
  }
}
