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

/** Undefined: there is nothing. */
export function flawOf(ccr: Understood<CCR>): Failure | undefined {
  // RFC 8506 8.3: an event says what is to be done.
  if (ccr['CC-Request-Type'] === EVENT_REQUEST && ccr['Requested-Action'] === undefined)
    return failure('DIAMETER_MISSING_AVP', 'Requested-Action missing in an event', [
      exampleOf(definitionOf('Requested-Action')),
    ]);
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
