/**
 * freeDiameter as a relay agent (RFC 6733 2.8.1) between gateways and Tollkeeper: its configuration,
 * its life, and what its log says. Nothing of Tollkeeper's own code is in between.
 *
 * What freeDiameter 1.2.1 does, and what a test can therefore show:
 * - It keeps one connection per Diameter identity and takes no second ConnectPeer of the same name.
 *   It spreads load over workers only where each has an identity of its own; where all share one,
 *   its connection is with whichever worker the kernel gave it to.
 * - It wants a certificate even where every connection is said to do without TLS.
 * - It puts Route-Record into answers, too, and leaves the P flag out of its own 3xxx.
 * - ListenOn leaves loopback addresses out, so that it listens on all addresses. It lets in
 *   only the names of its white list.
 * - A peer that went without a DPR is tried again after Tc (here a second, give or take three) and
 *   used after three answered watchdogs. What that peer owes is sent elsewhere with the T flag, or,
 *   when there is nobody else, refused with 3002.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { selfSigned } from './certificate.ts';
import { freePorts, type Running, run } from './processes.ts';

export const RELAY = 'relay.agent.example';
const REALM = 'agent.example';
/** Where Debian puts them; a path without a folder would be searched for where upstream does. */
const EXTENSIONS = '/usr/lib/freeDiameter';

export interface NextHop {
  identity: string;
  port: number;
  /** Silence after which freeDiameter sends a DWR, give or take two seconds; 6 at least. */
  watchdogSeconds: number;
}

export interface Agent {
  readonly port: number;
  readonly process: Running;
  /** How often a connection to a next hop was opened until now. */
  opens(): number;
  /** Resolves when that was more often than `times`. */
  opened(times: number): Promise<void>;
  stop(): Promise<number | string>;
}

/** A message in the log: the name of a command is known for what it sends, the code always. */
export function logged(
  way: 'RCV from' | 'SND to',
  { peer, code, request }: { peer: string; code: number; request: boolean },
): RegExp {
  const name = peer.replaceAll('.', '\\.');
  return new RegExp(`${way} '${name}': .*\\d+/${code} f:${request ? 'R' : '-'}`);
}

/** Starts it; `routes` are rules of its extension rt_default. */
export async function startAgent(
  nextHops: readonly NextHop[],
  { routes = '' }: { routes?: string } = {},
): Promise<Agent> {
  requireFreeDiameter();
  const folder = mkdtempSync(join(tmpdir(), 'tk-freediameter-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const port = await freePorts(1);
    const file = writeConfiguration(folder, { port, nextHops, routes });
    const process = run('freeDiameterd', ['freeDiameterd', '-c', file], {
      joined: true,
      cwd: folder,
    });
    const stop = () => process.end().finally(remove);
    await Promise.race([
      process.stdout.until(/daemon initialized/),
      process.exited.then((how) => {
        throw new Error(`freeDiameterd ended with ${how}:\n${process.stdout.last(30)}`);
      }),
    ]).catch((error) => stop().finally(() => Promise.reject(error)));
    const names = nextHops.map(({ identity }) => identity.replaceAll('.', '\\.')).join('|');
    const opening = new RegExp(`-> 'STATE_OPEN'\\s+'(${names})'`);
    let opens = 0;
    process.stdout.each((line) => {
      if (opening.test(line)) opens++;
    });
    return {
      port,
      process,
      opens: () => opens,
      async opened(times) {
        while (opens <= times) await process.stdout.until(opening, { from: process.stdout.length });
      },
      stop,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function requireFreeDiameter(): void {
  const folders = (process.env.PATH ?? '').split(delimiter);
  if (!folders.some((folder) => existsSync(join(folder, 'freeDiameterd'))))
    throw new Error(
      'freeDiameterd is not installed: apt-get install freediameter, or npm run test:freediameter',
    );
}

function writeConfiguration(
  folder: string,
  { port, nextHops, routes }: { port: number; nextHops: readonly NextHop[]; routes: string },
): string {
  const path = (name: string) => join(folder, name);
  const [key, certificate, file] = [path('key.pem'), path('cert.pem'), path('agent.conf')];
  const credentials = selfSigned(RELAY);
  writeFileSync(key, credentials.key, { mode: 0o600 });
  writeFileSync(certificate, credentials.certificate);
  // ALLOW_IPSEC: a peer without TLS is trusted to be protected below.
  writeFileSync(path('acl.conf'), 'ALLOW_IPSEC *.gw.example\n');
  writeFileSync(path('routes.conf'), routes);
  const extension = (name: string, argument?: string) =>
    `LoadExtension = "${EXTENSIONS}/${name}.fdx"${argument === undefined ? '' : ` : "${argument}"`};`;
  const lines = [
    `Identity = "${RELAY}";`,
    `Realm = "${REALM}";`,
    `Port = ${port};`,
    'SecPort = 0;',
    'No_SCTP;',
    'No_IPv6;',
    `TLS_Cred = "${certificate}", "${key}";`,
    `TLS_CA = "${certificate}";`,
    'TcTimer = 1;',
    extension('acl_wl', path('acl.conf')),
    extension('rt_load_balance'),
    ...(routes === '' ? [] : [extension('rt_default', path('routes.conf'))]),
    // A line for each message and event; nothing for each decision of the routing.
    extension('dbg_msg_dumps', '0x2122'),
    ...nextHops.map(
      ({ identity, port, watchdogSeconds }) =>
        `ConnectPeer = "${identity}" ` +
        `{ ConnectTo = "127.0.0.1"; No_TLS; Port = ${port}; TwTimer = ${watchdogSeconds}; };`,
    ),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}
