/** Answers to and from the bytes of `proto/session.proto`, as sessions and events keep them. */
import type { Answer, Fault, Outcome, ServiceAnswer } from '../charging/answer.ts';
import type { Multiplier } from '../charging/multiplier.ts';
import type { Directives, Final } from '../charging/plan.ts';
import type { Unit } from '../charging/request.ts';
import { isPresent, messageCodec, type Optional, type storeSchema, words } from './schema.ts';

export interface AnswerCodec {
  encode(answer: Answer): Uint8Array;
  decode(bytes: Uint8Array): Answer;
}

export function createAnswerCodec(schema: typeof storeSchema): AnswerCodec {
  const answers = messageCodec<AnswerMessage>(schema, 'Answer');
  const units = words<Unit>(schema, 'Unit');
  const outcomes = words<Outcome>(schema, 'Outcome');
  const faults = words<'none' | Fault>(schema, 'Fault');
  const levels = words<Answer['level']>(schema, 'Level');
  const finals = words<'none' | Final['action']>(schema, 'Final');
  const handlings = words<'none' | NonNullable<Answer['failureHandling']>>(
    schema,
    'FailureHandling',
  );
  const debitHandlings = words<'none' | NonNullable<Answer['debitFailureHandling']>>(
    schema,
    'DebitFailureHandling',
  );
  const mechanisms = words<'none' | NonNullable<Directives['timeMechanism']>['type']>(
    schema,
    'TimeMechanism',
  );

  function encode(answer: Answer): Uint8Array {
    const { failureHandling, debitFailureHandling } = answer;
    return answers.encode({
      outcome: outcomes.toNumber[answer.outcome],
      fault: faults.toNumber[answer.fault ?? 'none'],
      resultCode: answer.resultCode,
      level: levels.toNumber[answer.level],
      services: answer.services.map(fromService),
      cost: answer.cost,
      remaining: answer.remaining,
      lowBalance: answer.lowBalance,
      failureHandling: handlings.toNumber[failureHandling ?? 'none'],
      debitFailureHandling: debitHandlings.toNumber[debitFailureHandling ?? 'none'],
      enough: answer.enough,
      refundInformation: answer.refundInformation,
    });
  }

  function fromService(service: ServiceAnswer): ServiceMessage {
    const { final, directives, tariffChange, pool } = service;
    const message: ServiceMessage = {
      ratingGroup: service.ratingGroup,
      serviceIds: service.serviceIds,
      outcome: outcomes.toNumber[service.outcome],
      fault: faults.toNumber[service.fault ?? 'none'],
      grantedUnit: service.granted === undefined ? 0 : units.toNumber[service.granted.unit],
      grantedUnits: service.granted?.units,
      validitySeconds: service.validitySeconds,
      holdingSeconds: service.holdingSeconds,
      final: finals.toNumber[final?.action ?? 'none'],
      beside: service.beside,
      tariffChange,
      pool,
    };
    if (final !== undefined && final.action !== 'terminate')
      message.finalDetails = fromFinal(final);
    if (directives !== undefined) message.directives = fromDirectives(directives);
    return message;
  }

  function fromDirectives(directives: Directives): DirectivesMessage {
    const { threshold, consumptionSeconds, timeMechanism, envelopes, triggers } = directives;
    return {
      threshold,
      consumptionSeconds,
      timeMechanism: mechanisms.toNumber[timeMechanism?.type ?? 'none'],
      timeIntervalSeconds: timeMechanism?.intervalSeconds ?? 0,
      envelopes,
      triggers: triggers === undefined ? undefined : { types: triggers },
    };
  }

  function decode(bytes: Uint8Array): Answer {
    const message = answers.decode(bytes);
    const answer: Answer = {
      outcome: outcomes.toWord(message.outcome),
      level: levels.toWord(message.level),
      services: message.services.map(toService),
    };
    const fault = faults.toWord(message.fault);
    if (fault !== 'none') answer.fault = fault;
    if (isPresent(message.resultCode)) answer.resultCode = message.resultCode;
    if (isPresent(message.cost)) answer.cost = message.cost;
    if (isPresent(message.remaining)) answer.remaining = message.remaining;
    if (isPresent(message.lowBalance)) answer.lowBalance = message.lowBalance;
    const handling = handlings.toWord(message.failureHandling);
    if (handling !== 'none') answer.failureHandling = handling;
    const debitHandling = debitHandlings.toWord(message.debitFailureHandling);
    if (debitHandling !== 'none') answer.debitFailureHandling = debitHandling;
    if (isPresent(message.enough)) answer.enough = message.enough;
    // Of its own: what was decoded is a view of all that was read with it.
    if (isPresent(message.refundInformation))
      answer.refundInformation = new Uint8Array(message.refundInformation);
    return answer;
  }

  function toService(message: ServiceMessage): ServiceAnswer {
    const { serviceIds, ratingGroup, grantedUnits, validitySeconds, holdingSeconds } = message;
    const service: ServiceAnswer = { serviceIds, outcome: outcomes.toWord(message.outcome) };
    const action = finals.toWord(message.final);
    const fault = faults.toWord(message.fault);
    if (fault !== 'none') service.fault = fault;
    if (isPresent(ratingGroup)) service.ratingGroup = ratingGroup;
    if (isPresent(grantedUnits))
      service.granted = { unit: units.toWord(message.grantedUnit), units: grantedUnits };
    if (isPresent(validitySeconds)) service.validitySeconds = validitySeconds;
    if (isPresent(holdingSeconds)) service.holdingSeconds = holdingSeconds;
    if (action !== 'none') service.final = toFinal(action, message.finalDetails);
    if (isPresent(message.directives)) service.directives = toDirectives(message.directives);
    if (isPresent(message.beside)) service.beside = toBeside(message.beside);
    if (isPresent(message.tariffChange)) {
      const { at, after } = message.tariffChange;
      service.tariffChange = isPresent(after) ? { at, after } : { at };
    }
    if (isPresent(message.pool)) {
      const { id, digits, exponent, after } = message.pool;
      service.pool = { id, digits, exponent };
      if (isPresent(after)) service.pool.after = { digits: after.digits, exponent: after.exponent };
    }
    return service;
  }

  function toDirectives(message: DirectivesMessage): Directives {
    const directives: Directives = {};
    const { threshold, consumptionSeconds, envelopes, triggers } = message;
    if (isPresent(threshold)) directives.threshold = threshold;
    if (isPresent(consumptionSeconds)) directives.consumptionSeconds = consumptionSeconds;
    const type = mechanisms.toWord(message.timeMechanism);
    if (type !== 'none')
      directives.timeMechanism = { type, intervalSeconds: message.timeIntervalSeconds };
    if (isPresent(envelopes)) directives.envelopes = envelopes;
    if (isPresent(triggers)) directives.triggers = triggers.types;
    return directives;
  }

  return { encode, decode };
}

function fromFinal({ redirect, filters, filterIds }: Final): FinalMessage {
  return {
    redirectType: redirect?.type,
    redirectAddress: redirect?.address ?? '',
    filters: filters ?? [],
    filterIds: filterIds ?? [],
  };
}

function toFinal(action: Final['action'], details: Optional<FinalMessage>): Final {
  const final: Final = { action };
  if (!isPresent(details)) return final;
  const { redirectType, redirectAddress, filters, filterIds } = details;
  if (isPresent(redirectType))
    final.redirect = { type: redirectType as 0 | 1 | 2 | 3, address: redirectAddress };
  if (filters.length > 0) final.filters = filters;
  if (filterIds.length > 0) final.filterIds = filterIds;
  return final;
}

function toBeside(message: BesideMessage): Partial<Record<Unit, number>> {
  const beside: Partial<Record<Unit, number>> = {};
  for (const unit of ['octets', 'seconds', 'units', 'money'] as const) {
    const value = message[unit];
    if (isPresent(value)) beside[unit] = value;
  }
  return beside;
}

interface AnswerMessage {
  outcome: number;
  fault: number;
  resultCode: Optional<number>;
  level: number;
  services: readonly ServiceMessage[];
  cost: Optional<number>;
  remaining: Optional<number>;
  lowBalance: Optional<boolean>;
  failureHandling: number;
  debitFailureHandling: number;
  enough: Optional<boolean>;
  refundInformation: Optional<Uint8Array>;
}

interface ServiceMessage {
  ratingGroup: Optional<number>;
  serviceIds: readonly number[];
  outcome: number;
  fault: number;
  grantedUnit: number;
  grantedUnits: Optional<number>;
  validitySeconds: Optional<number>;
  holdingSeconds: Optional<number>;
  final: number;
  finalDetails?: Optional<FinalMessage>;
  directives?: Optional<DirectivesMessage>;
  beside: Optional<BesideMessage>;
  tariffChange: Optional<{ at: number; after?: Optional<number> }>;
  pool: Optional<Multiplier & { id: number; after?: Optional<Multiplier> }>;
}

interface FinalMessage {
  redirectType: Optional<number>;
  redirectAddress: string;
  filters: readonly string[];
  filterIds: readonly string[];
}

interface DirectivesMessage {
  threshold: Optional<number>;
  consumptionSeconds: Optional<number>;
  timeMechanism: number;
  timeIntervalSeconds: number;
  envelopes: Optional<number>;
  triggers: Optional<{ types: readonly number[] }>;
}

type BesideMessage = { [U in Unit]?: Optional<number> };
