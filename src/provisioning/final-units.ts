/** Where a client redirects to when its final units are used up (RFC 8506 8.37 to 8.39). */
import { isIPv4, isIPv6 } from 'node:net';
import { show } from './problem.ts';
import type { Place } from './written.ts';

/** Redirect-Address-Type of an address: 0 IPv4, 1 IPv6, 2 URL, 3 SIP URI. */
export function parseAddressKind(address: string, { path, report }: Place): 0 | 1 | 2 | 3 {
  if (isIPv4(address)) return 0;
  if (isIPv6(address)) return 1;
  if (/^sips?:./i.test(address)) return 3;
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(address) || !URL.canParse(address)) {
    const expected = 'an IP address, a URL with its scheme, or a SIP URI';
    report({ path, found: show(address), expected });
  }
  return 2;
}
