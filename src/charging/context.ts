/**
 * The part of a Service-Context-Id that plans are written for (RFC 8506 8.42, TS 32.299 7.1.12):
 * in `8.32251@3gpp.org` and `ext.01.001.15.32251@3gpp.org` what comes before the service, its
 * release and an operator's own additions, changes nothing of how it is charged.
 */

const DOMAIN = '@3gpp.org';
/** Some clients write a full stop before the domain. */
const DOTTED = '.3gpp.org';

/** `sent` without what comes before the service where 3GPP defines it, else `sent` itself. */
export function serviceContext(sent: string): string {
  const at = sent.length - DOMAIN.length;
  // As nearly all of them are.
  if (sent.endsWith(DOMAIN) && at > 0 && sent.lastIndexOf('.', at - 1) < 0) return sent;
  const domain = sent.slice(at).toLowerCase();
  if (domain !== DOMAIN && domain !== DOTTED) return sent;
  const start = sent.lastIndexOf('.', at - 1) + 1;
  const service = sent.slice(start, at);
  return service === '' ? sent : service + DOMAIN;
}
