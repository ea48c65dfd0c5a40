/**
 * The services of a request: settle what each used, then decide what each may use next. The rules
 * of RFC 8506 8.16-8.19 for every Multiple-Services-Credit-Control.
 */
import type { ServiceAnswer } from './answer.ts';
import { grant } from './grant.ts';
import { holdsAny, leave } from './pool.ts';
import { type RecordedService, recordedRecipients } from './record.ts';
import { type AskedService, serviceKey } from './request.ts';
import type { Serving } from './serving.ts';
import { MAX_SERVICES, type Service } from './session.ts';
import { type Settled, settle } from './settle.ts';

export interface Served {
  /** All services of the session, those that were not named among them. */
  services: readonly Service[];
  answers: readonly ServiceAnswer[];
  recorded: readonly RecordedService[];
  /** An outcome leans on what the account had: only freshly read data may say so. */
  refuses: boolean;
}

/** What was decided for the services of a request so far, by which more is decided. */
export interface SoFar {
  services: Map<string, Service>;
  answers: readonly ServiceAnswer[];
  /** The last one's service as it was before it was granted more. */
  before: Service | undefined;
  /** How many periods the draft had begun before that. */
  begun: number;
}

/**
 * Serves every service that a request names: all usage is settled before anything is granted.
 * `review` sees each as soon as it is decided, and may take back what was granted.
 */
export function serveAll(
  serving: Serving,
  asked: readonly AskedService[],
  known: readonly Service[],
  review?: (soFar: SoFar) => void,
): Served {
  const services = new Map<string, Service>();
  for (const service of known) services.set(serviceKey(service), service);
  let refuses = false;
  const answers: ServiceAnswer[] = [];
  const recorded: RecordedService[] = [];
  const all = settle(serving, asked, services);
  // Only as many as there may be are counted: hardly any session has them.
  const isMany = services.size + all.length > MAX_SERVICES;
  let held = isMany ? holding(services) : 0;
  const isAlone = (settled: Settled, pool: number): boolean =>
    !holdsAny(services, settled.key, pool) &&
    !all.some((other) => other !== settled && other.left?.pool === pool);
  for (const settled of all) {
    const { one, grantKey: key } = settled;
    const before = services.get(key);
    const { begun } = serving.draft;
    const next = grant(serving, {
      settled,
      service: before,
      isAlone,
      full: services.size >= MAX_SERVICES && held >= MAX_SERVICES,
    });
    if (next.service !== undefined) services.set(key, next.service);
    if (isMany) held += countOf(next.service) - countOf(before);
    refuses ||= next.refuses;
    const answer: ServiceAnswer = { serviceIds: one.serviceIds, ...next.answer };
    if (one.ratingGroup !== undefined) answer.ratingGroup = one.ratingGroup;
    answers.push(answer);
    recorded.push(recordOf(settled, answer, serving));
    if (review === undefined) continue;
    review({ services, answers, before, begun });
    if (isMany) held = holding(services);
  }
  for (const settled of all) if (settled.left !== undefined) leavePool(serving, settled, services);
  for (const settled of all)
    if (settled.late !== undefined || settled.early !== undefined)
      recorded.push(...besideOf(settled, serving));
  return { services: bounded([...services.values()]), answers, recorded, refuses };
}

/** What a service had left in a pool that it was granted nothing more of. */
function leavePool(
  { draft, now, sharing }: Serving,
  { key, left }: Settled,
  services: Map<string, Service>,
): void {
  const service = services.get(key);
  if (service === undefined || left === undefined) return;
  services.set(key, { ...service, grant: left });
  leave(draft, services, { key, now, sharing });
  services.set(key, { ...(services.get(key) ?? service), grant: service.grant });
}

function recordOf(
  settled: Settled,
  { outcome, granted }: ServiceAnswer,
  { plan }: Serving,
): RecordedService {
  const { one, by, used, cost, excess, after } = settled;
  const { ratingGroup, serviceIds, reasons, recipients, share } = one;
  const record: RecordedService = { serviceIds, outcome };
  if (ratingGroup !== undefined) record.ratingGroup = ratingGroup;
  if (by === undefined) {
    record.plan = plan.id;
    record.planVersion = plan.version;
  } else {
    record.rule = by.rule;
    if (by.plan !== undefined) record.plan = by.plan;
    record.planVersion = by.planVersion;
    record.unit = by.unit;
  }
  if (recipients !== undefined && (share !== undefined || recipients.length > 1))
    record.recipients = recordedRecipients(recipients, share?.of);
  if (used !== undefined) {
    record.used = used;
    if (used > 0) record.countedFrom = by?.rated ?? 0;
    record.cost = cost;
  }
  if (after !== undefined && after.used > 0) {
    const { change, used, countedFrom, cost } = after;
    record.after = { rule: change.rule, ...change.of, used, countedFrom, cost };
  }
  if (granted !== undefined) record.granted = granted.units;
  if (excess) record.excess = true;
  if (settled.unrated && one.used !== undefined) record.unrated = one.used;
  if (reasons !== undefined) record.reasons = reasons;
  return record;
}

/** What was overtaken, and what came after a grant had ended, under each rule: a line of its own. */
function besideOf(settled: Settled, { plan }: Serving): RecordedService[] {
  const { one, by, late = [], early = [] } = settled;
  const { ratingGroup, serviceIds } = one;
  const named = {
    ...(ratingGroup === undefined ? {} : { ratingGroup }),
    serviceIds,
    ...(by === undefined ? {} : { unit: by.unit }),
  };
  const ofPlan = { plan: plan.id, planVersion: plan.version };
  return [
    ...early.map(({ by: { rule, plan: id, planVersion }, used, countedFrom, cost }) => ({
      ...{ ...named, rule, ...(id === undefined ? {} : { plan: id }), planVersion },
      ...{ used, countedFrom, cost, outcome: 'success' as const },
    })),
    ...late.map(({ rule, used, countedFrom, cost }) => ({
      ...{ ...named, rule: rule.name, ...ofPlan },
      ...{ used, countedFrom, cost, outcome: 'success' as const },
    })),
  ];
}

function holding(services: ReadonlyMap<string, Service>): number {
  let count = 0;
  for (const service of services.values()) count += countOf(service);
  return count;
}

const countOf = (service: Service | undefined): number => (service?.grant === undefined ? 0 : 1);

/** Beyond the limit the services without quota are forgotten, the oldest first. */
function bounded(services: readonly Service[]): readonly Service[] {
  let surplus = services.length - MAX_SERVICES;
  return surplus <= 0
    ? services
    : services.filter(({ grant: held }) => held !== undefined || surplus-- <= 0);
}
