/**
 * What is worked out of a plan once, when it is first asked for a rule, and kept with it for as long
 * as it lives: the index of its rules, their conditions as they are looked up, and its times of use.
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

export function compiled(plan: Plan): CompiledPlan {
  let found = plans.get(plan);
  if (found === undefined) {
    found = compile(plan);
    plans.set(plan, found);
  }
  return found;
}

function compile(plan: Plan): CompiledPlan {
  const timeline = new Timeline(plan);
  const contexts = new Shared(setOf<string>);
  const ratingGroups = new Shared(setOf<number | null>);
  const figures = new Shared(setOf<number>);
  const apns = new Shared(setOf<string>);
  const roles = new Shared(setOf<Role>);
  const numbers = new Shared(numbersOf);
  const candidates = plan.rules.map((rule, order): Candidate => {
    const { match } = rule;
    return {
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
    };
  });
  const anyContext = plan.rules.some(({ match }) => match.context === undefined);
  return {
    index: new FiledRules(candidates),
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
