/** Copies of what a client sends, in octets, to real workers on a real Redis. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DiameterClient } from '../../src/trace/client.ts';
import { octetsOf, type Tree } from '../credit-control/octets.ts';
import { message } from '../diameter/bytes.ts';
import { provisioningOf, rangeOf } from './books.ts';
import { E164, Site } from './site.ts';

const ANNA = `${E164}00000`;
const links: DiameterClient[] = [];
let site: Site;

beforeAll(async () => {
  site = await Site.start({
    provisioning: provisioningOf({ accounts: rangeOf(1, ANNA) }),
    workers: 2,
  });
  for (const { port } of site.workers)
    links.push(
      await DiameterClient.connect({
        ...{ host: '127.0.0.1', port, originHost: 'gw.example', originRealm: 'example' },
      }),
    );
});

afterAll(async () => {
  await Promise.all(links.map((link) => link.disconnect()));
  await site.stop();
});

function ccr(type: number, number: number, avps: Tree): Buffer {
  const usual: Tree = {
    'Session-Id': 'gw.example;1;copies',
    'Origin-Host': 'gw.example',
    'Origin-Realm': 'example',
    'Destination-Realm': 'tollkeeper.example',
    'Auth-Application-Id': 4,
    'Service-Context-Id': '32251@3gpp.org',
    'CC-Request-Type': type,
    'CC-Request-Number': number,
  };
  return message(octetsOf({ ...usual, ...avps }), { endToEnd: number + 1 });
}

/** What lies behind the header, whose Hop-by-Hop Identifier is the link's. */
const send = async (worker: number, request: Buffer) =>
  (await links[worker]!.send(Buffer.from(request))).subarray(20);

test('an initial request that names a stranger before its subscriber has copies like any other', async () => {
  const service = { 'Rating-Group': 1, 'Requested-Service-Unit': { 'CC-Total-Octets': 100 } };
  const request = ccr(1, 0, {
    'Subscription-Id': [
      { 'Subscription-Id-Type': 1, 'Subscription-Id-Data': '262019999999999' },
      { 'Subscription-Id-Type': 0, 'Subscription-Id-Data': ANNA },
    ],
    'Multiple-Services-Credit-Control': service,
  });
  const first = await send(0, request);
  expect(first.includes(octetsOf({ 'Result-Code': 2001 })[0]!)).toBe(true);
  for (const worker of [0, 1]) expect(await send(worker, request)).toEqual(first);
  const report = { ...service, 'Used-Service-Unit': { 'CC-Total-Octets': 5 } };
  await send(1, ccr(2, 1, { 'Multiple-Services-Credit-Control': report }));
  for (const worker of [0, 1]) expect(await send(worker, request)).toEqual(first);
});
