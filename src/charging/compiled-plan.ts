/**
 * What is worked out of a plan once and kept with it for as long as it lives: the index of its rules,
 * their conditions as they are looked up, and its times of use. For a plan of ten thousand rules that
 * takes a while, so whoever has requests to answer has it done ahead, in short steps.
 */

import { FiledRules } from './filed-rules.ts';
import type { Plan, Role, Rule } from './plan.ts';
import { Prefixes } from './prefixes.ts';
import { Timeline } from './windows.ts';

export interface CompiledPlan {
  index: FiledRules<Candidate>;
  timeline: Timeline;
  hasWindows: boolean;
  contexts: ReadonlySet<string> | 'any';
}

/** A rule with its conditions as they are looked up; undefined: it has none of that kind. */
export interface Candidate {
  rule: Rule;
  /** Its place in the plan. */
  order: number;
  /** The number of its windows in the timeline; -1: it holds always. */
  when: number;
  context: ReadonlySet<string> | undefined;
  ratingGroup: ReadonlySet<number | null> | undefined;
  serviceIdentifier: ReadonlySet<number> | undefined;
  apn: ReadonlySet<string> | undefined;
  rat: ReadonlySet<number> | undefined;
  visited: Numbers | undefined;
  called: Numbers | undefined;
  calling: Numbers | undefined;
  role: ReadonlySet<Role> | undefined;
}

/** Prefixes of numbers: a few are tried one after the other. */
export type Numbers = readonly string[] | Prefixes<true>;

const FEW = 8;

const plans = new WeakMap<Plan, CompiledPlan>();

/** At once, unless it was done ahead. */
export function compiled(plan: Plan): CompiledPlan {
  const found = plans.get(plan);
  if (found !== undefined) return found;
  for (const work = compilingAhead(plan); ; ) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** The same in short steps: it yields between them. */
export function* compilingAhead(plan: Plan): Generator<void, CompiledPlan, void> {
  let found = plans.get(plan);
  if (found === undefined) {
    found = yield* compiling(plan);
    plans.set(plan, found);
  }
  return found;
}

function* compiling(plan: Plan): Generator<void, CompiledPlan, void> {
  const timeline = new Timeline(plan);
  const contexts = new Shared(setOf<string>);
  const ratingGroups = new Shared(setOf<number | null>);
  const figures = new Shared(setOf<number>);
  const apns = new Shared(setOf<string>);
  const roles = new Shared(setOf<Role>);
  const numbers = new Shared(numbersOf);
  const candidates: Candidate[] = [];
  for (const [order, rule] of plan.rules.entries()) {
    yield;
    const { match } = rule;
    candidates.push({
      rule,
      order,
      when: match.when === undefined ? -1 : timeline.add(match.when),
      context: contexts.of(match.context),
      ratingGroup: ratingGroups.of(match.ratingGroup),
      serviceIdentifier: figures.of(match.serviceIdentifier),
      apn: apns.of(match.apn),
      rat: figures.of(match.rat),
      visited: numbers.of(match.visited),
      called: numbers.of(match.called),
      calling: numbers.of(match.calling),
      role: roles.of(match.role),
    });
  }
  const anyContext = plan.rules.some(({ match }) => match.context === undefined);
  return {
    index: yield* FiledRules.filing(candidates),
    timeline,
    hasWindows: candidates.some(({ when }) => when >= 0),
    contexts: anyContext ? 'any' : new Set(plan.rules.flatMap(({ match }) => match.context ?? [])),
  };
}

function setOf<T>(values: readonly T[]): ReadonlySet<T> {
  return new Set(values);
}

function numbersOf(texts: readonly string[]): Numbers {
  return texts.length <= FEW ? texts : new Prefixes(new Map(texts.map((text) => [text, true])));
}

/** Rules that say the same share one form of it. */
class Shared<T, Form> {
  readonly #make: (values: readonly T[]) => Form;
  readonly #forms = new Map<string, Form>();

  constructor(make: (values: readonly T[]) => Form) {
    this.#make = make;
  }

  of(values: readonly T[] | undefined): Form | undefined {
    if (values === undefined) return undefined;
    const name = JSON.stringify(values);
    let form = this.#forms.get(name);
    if (form === undefined) {
      form = this.#make(values);
      this.#forms.set(name, form);
    }
    return form;
  }
}
