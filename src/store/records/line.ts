/**
 * A record as a line of JSON, for files and feeds. The order of the members is fixed: `id` and
 * `partition` come first, so that a line can be placed without parsing the rest of it.
 *
 * Amounts and units are JSON numbers: all of them are integers within +-(2^53 - 1), which every
 * JSON reader that uses doubles keeps exactly. Times are store times in ms. `id` is unique within
 * its partition, so (`partition`, `id`) names a record for good. Service-Information stands last, as
 * whoever knows its dictionary reads it, or else as hexadecimal.
 */
import type { BucketChange, ChargingRecord, RecordedService } from '../../charging/record.ts';

/** Makes JSON of Service-Information; never throws, whatever the octets are. */
export type InformationReader = (octets: Uint8Array) => unknown;

const asHexadecimal: InformationReader = (octets) => Buffer.from(octets).toString('hex');

/** One line, without the line feed. */
export function recordLine(
  partition: number,
  id: string,
  record: ChargingRecord,
  readInformation: InformationReader = asHexadecimal,
): string {
  const { subscriber, information } = record;
  return JSON.stringify({
    id,
    partition,
    kind: record.kind,
    at: record.at,
    tenant: record.account.tenant,
    account: record.account.account,
    sessionId: record.sessionId,
    subSessionId: record.subSessionId,
    requestNumber: record.requestNumber,
    subscriber: subscriber === undefined ? undefined : `${subscriber.kind}:${subscriber.id}`,
    client: record.client,
    context: record.context,
    sentContext: record.sentContext,
    outcome: record.outcome,
    services: record.services.map(serviceMembers),
    changes: record.changes.map(changeMembers),
    terminationCause: record.terminationCause,
    reference: record.reference,
    equipment: record.equipment,
    correlation: record.correlation,
    information: information === undefined ? undefined : readInformation(information),
  });
}

function serviceMembers(service: RecordedService): RecordedService {
  return {
    ...(service.ratingGroup === undefined ? {} : { ratingGroup: service.ratingGroup }),
    serviceIds: service.serviceIds,
    ...(service.rule === undefined ? {} : { rule: service.rule }),
    ...(service.plan === undefined ? {} : { plan: service.plan }),
    ...(service.planVersion === undefined ? {} : { planVersion: service.planVersion }),
    ...(service.recipients === undefined ? {} : { recipients: service.recipients }),
    ...(service.unit === undefined ? {} : { unit: service.unit }),
    ...(service.used === undefined ? {} : { used: service.used }),
    ...(service.countedFrom === undefined ? {} : { countedFrom: service.countedFrom }),
    ...(service.granted === undefined ? {} : { granted: service.granted }),
    ...(service.cost === undefined ? {} : { cost: service.cost }),
    outcome: service.outcome,
    ...(service.excess === undefined ? {} : { excess: service.excess }),
    ...(service.reasons === undefined ? {} : { reasons: service.reasons }),
    ...(service.after === undefined ? {} : { after: service.after }),
    ...(service.unrated === undefined ? {} : { unrated: service.unrated }),
  };
}

function changeMembers(change: BucketChange): BucketChange {
  const { bucket, cause, available, reserved } = change;
  return { bucket, cause, available, reserved };
}

/** Where a line belongs, or undefined when it is not a whole line of ours. */
export function placeOfLine(line: string): { id: string; partition: number } | undefined {
  const match = /^\{"id":"(\d{1,16}-\d{1,16})","partition":(\d{1,6}),.*\}$/s.exec(line);
  if (match === null) return undefined;
  return { id: match[1] as string, partition: Number(match[2]) };
}
