/** Charging records to and from the bytes of `proto/record.proto`: the entries of the outbox. */
import type {
  BucketChange,
  Cause,
  ChargingRecord,
  RecordedService,
  RecordKind,
} from '../charging/record.ts';
import type { SubscriberKind, Unit } from '../charging/request.ts';
import { isPresent, messageCodec, type Optional, storeSchema, tagOf, words } from './schema.ts';

const records = messageCodec<RecordMessage>(storeSchema, 'ChargingRecord');
const recordKinds = words<RecordKind>(storeSchema, 'RecordKind');
const causes = words<Cause>(storeSchema, 'Cause');
const units = words<Unit>(storeSchema, 'Unit');
const subscriberKinds = words<SubscriberKind>(storeSchema, 'SubscriberKind');

/** The tag of `ChargingRecord.reference`; the epoch's script appends that field. */
export const referenceTag: number = tagOf(storeSchema, 'ChargingRecord', 'reference');

export function encodeRecord(record: ChargingRecord): Uint8Array {
  const { account, subscriber } = record;
  return records.encode({
    kind: recordKinds.toNumber[record.kind],
    at: record.at,
    tenant: account.tenant,
    account: account.account,
    sessionId: record.sessionId,
    subSessionId: record.subSessionId,
    requestNumber: record.requestNumber,
    subscriberKind: subscriber === undefined ? 0 : subscriberKinds.toNumber[subscriber.kind],
    subscriberId: subscriber?.id,
    client: record.client,
    context: record.context,
    outcome: record.outcome,
    services: record.services.map(fromService),
    changes: record.changes.map(fromChange),
    reference: record.reference,
    terminationCause: record.terminationCause,
    information: record.information,
    sentContext: record.sentContext,
    equipment: record.equipment,
    correlation: record.correlation,
  });
}

export function decodeRecord(bytes: Uint8Array): ChargingRecord {
  const message = records.decode(bytes);
  const record: ChargingRecord = {
    kind: recordKinds.toWord(message.kind),
    at: message.at,
    account: { tenant: message.tenant, account: message.account },
    outcome: message.outcome,
    services: message.services.map(toService),
    changes: message.changes.map(toChange),
  };
  const { subscriberId } = message;
  if (isPresent(message.sessionId)) record.sessionId = message.sessionId;
  if (isPresent(message.subSessionId)) record.subSessionId = message.subSessionId;
  if (isPresent(message.requestNumber)) record.requestNumber = message.requestNumber;
  if (isPresent(subscriberId))
    record.subscriber = { kind: subscriberKinds.toWord(message.subscriberKind), id: subscriberId };
  if (isPresent(message.client)) record.client = message.client;
  if (isPresent(message.context)) record.context = message.context;
  if (isPresent(message.reference)) record.reference = message.reference;
  if (isPresent(message.terminationCause)) record.terminationCause = message.terminationCause;
  if (isPresent(message.information)) record.information = message.information;
  if (isPresent(message.sentContext)) record.sentContext = message.sentContext;
  if (isPresent(message.equipment)) record.equipment = message.equipment;
  if (isPresent(message.correlation)) record.correlation = message.correlation;
  return record;
}

function fromService(service: RecordedService): ServiceMessage {
  return {
    ratingGroup: service.ratingGroup,
    serviceIds: service.serviceIds,
    rule: service.rule,
    plan: service.plan,
    planVersion: service.planVersion,
    unit: service.unit === undefined ? undefined : units.toNumber[service.unit],
    used: service.used,
    granted: service.granted,
    cost: service.cost,
    outcome: service.outcome,
    excess: service.excess ?? false,
    reasons: service.reasons,
    after: service.after,
    unrated: service.unrated,
    recipients: service.recipients,
    countedFrom: service.countedFrom,
  };
}

function toService(message: ServiceMessage): RecordedService {
  const service: RecordedService = { serviceIds: message.serviceIds, outcome: message.outcome };
  if (isPresent(message.ratingGroup)) service.ratingGroup = message.ratingGroup;
  if (isPresent(message.rule)) service.rule = message.rule;
  if (isPresent(message.plan)) service.plan = message.plan;
  if (isPresent(message.planVersion)) service.planVersion = message.planVersion;
  // An absent enumeration has its first value instead of null.
  if (Object.hasOwn(message, 'unit')) service.unit = units.toWord(message.unit as number);
  if (isPresent(message.used)) service.used = message.used;
  if (isPresent(message.countedFrom)) service.countedFrom = message.countedFrom;
  if (isPresent(message.granted)) service.granted = message.granted;
  if (isPresent(message.cost)) service.cost = message.cost;
  if (message.excess) service.excess = true;
  if (isPresent(message.reasons) && message.reasons.length > 0) service.reasons = message.reasons;
  if (isPresent(message.after)) {
    const { rule, plan, planVersion, used, countedFrom, cost } = message.after;
    service.after = { rule, used, cost };
    if (isPresent(countedFrom)) service.after.countedFrom = countedFrom;
    if (isPresent(plan)) service.after.plan = plan;
    if (isPresent(planVersion)) service.after.planVersion = planVersion;
  }
  if (isPresent(message.recipients)) {
    const { count, of, called } = message.recipients;
    service.recipients = isPresent(of) ? { count, of, called } : { count, called };
  }
  if (isPresent(message.unrated)) {
    const { octets, seconds, units: events, money } = message.unrated;
    service.unrated = {
      ...(isPresent(octets) ? { octets } : {}),
      ...(isPresent(seconds) ? { seconds } : {}),
      ...(isPresent(events) ? { units: events } : {}),
      ...(isPresent(money) ? { money } : {}),
    };
  }
  return service;
}

const fromChange = ({ bucket, cause, available, reserved }: BucketChange): ChangeMessage => ({
  bucket,
  cause: causes.toNumber[cause],
  available,
  reserved,
});

const toChange = ({ bucket, cause, available, reserved }: ChangeMessage): BucketChange => ({
  bucket,
  cause: causes.toWord(cause),
  available,
  reserved,
});

interface RecordMessage {
  kind: number;
  at: number;
  tenant: string;
  account: string;
  sessionId: Optional<string>;
  subSessionId: Optional<string>;
  requestNumber: Optional<number>;
  subscriberKind: number;
  subscriberId: Optional<string>;
  client: Optional<string>;
  context: Optional<string>;
  outcome: string;
  services: readonly ServiceMessage[];
  changes: readonly ChangeMessage[];
  reference: Optional<string>;
  terminationCause: Optional<number>;
  information: Optional<Uint8Array>;
  sentContext: Optional<string>;
  equipment: Optional<string>;
  correlation: Optional<string>;
}

interface ServiceMessage {
  ratingGroup: Optional<number>;
  serviceIds: readonly number[];
  rule: Optional<string>;
  plan: Optional<string>;
  planVersion: Optional<number>;
  unit: Optional<number>;
  used: Optional<number>;
  granted: Optional<number>;
  cost: Optional<number>;
  outcome: string;
  excess: boolean;
  reasons: Optional<readonly number[]>;
  after: Optional<{
    rule: string;
    plan?: Optional<string>;
    planVersion?: Optional<number>;
    used: number;
    countedFrom?: Optional<number>;
    cost: number;
  }>;
  unrated: Optional<Partial<Record<Unit, Optional<number>>>>;
  countedFrom: Optional<number>;
  recipients: Optional<{ count: number; of?: Optional<number>; called: readonly string[] }>;
}

interface ChangeMessage {
  bucket: string;
  cause: number;
  available: number;
  reserved: number;
}
