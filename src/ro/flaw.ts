/**
 * What is wrong with a request that its grammar cannot tell: found after decoding, answered as if
 * decoding had found it.
 */
import type { CCR } from '../diameter/commands.ts';
import { encodeAvp } from '../diameter/encode.ts';
import { exampleOf, type Failure, failure } from '../diameter/failure.ts';
import type { Understood } from '../diameter/message.ts';
import { definitionOf } from '../diameter/schema.ts';

const EVENT_REQUEST = 4;
/** Requested-Action, RFC 8506 8.41. */
const REFUND_ACCOUNT = 1;

/** Undefined: there is nothing. */
export function flawOf(ccr: Understood<CCR>): Failure | undefined {
  // RFC 8506 8.3: an event says what is to be done.
  if (ccr['CC-Request-Type'] === EVENT_REQUEST && ccr['Requested-Action'] === undefined)
    return failure('DIAMETER_MISSING_AVP', 'Requested-Action missing in an event', [
      exampleOf(definitionOf('Requested-Action')),
    ]);
  const refunds = otherRefunds(ccr);
  if (refunds.length > 0)
    return failure('DIAMETER_INVALID_AVP_VALUE', 'one refund hands back one debit', refunds);
  const parameters = ccr['Service-Parameter-Info'];
  if (parameters === undefined || parameters.length === 0) return undefined;
  // RFC 8506 8.43: no service document that is known here defines any Service-Parameter-Type.
  const unknown: Buffer[] = [];
  for (const { 'Service-Parameter-Type': type, 'Service-Parameter-Value': value } of parameters) {
    if (type === undefined || value === undefined) continue;
    const parameter = { 'Service-Parameter-Type': type, 'Service-Parameter-Value': value };
    unknown.push(encodeAvp('Service-Parameter-Info', parameter));
  }
  return failure('DIAMETER_RATING_FAILED', 'unknown Service-Parameter-Type', unknown);
}

/** Each Refund-Information of a refund that names another debit than the first does. */
function otherRefunds(ccr: Understood<CCR>): readonly Buffer[] {
  if (ccr['CC-Request-Type'] !== EVENT_REQUEST || ccr['Requested-Action'] !== REFUND_ACCOUNT)
    return [];
  const [first, ...others] = [
    ...(ccr['Multiple-Services-Credit-Control'] ?? []).map((one) => one['Refund-Information']),
    ...(ccr['Refund-Information'] ?? []),
  ].filter((one) => one !== undefined);
  return others
    .filter((one) => first !== undefined && !first.equals(one))
    .map((one) => encodeAvp('Refund-Information', one));
}
