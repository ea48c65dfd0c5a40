/**
 * Holds a configuration against the schema part by part, each in a short step, so that whoever has
 * other things to do can do them in between. What it finds is what `check.ts` would, as far as it
 * looks: it does not look into what is wrong as a whole.
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { findingsOf } from './check.ts';
import type { Finding, Path } from './problem.ts';
import { provisioningSchema, type WrittenFile, type WrittenZone } from './schema.ts';
import type { Work } from './work.ts';

type Part = 'file' | 'plan' | 'zone' | 'rule';

const { $defs } = provisioningSchema;
/** What is looked at for itself may be anything where it stands. */
const anything = { plan: {}, zone: {}, rule: {} };

const schemas: Readonly<Record<Part, object>> = {
  file: { ...provisioningSchema, $defs: { ...$defs, ...anything } },
  plan: { ...$defs.plan, $defs: { ...$defs, ...anything } },
  zone: { ...$defs.zone, $defs },
  rule: { ...$defs.rule, $defs },
};

const ajv = new Ajv2020({ allErrors: true, verbose: true });
const compiled = new Map<Part, ValidateFunction>();

/** `known` are parts that were found to be good before; no finding: `value` is a WrittenFile. */
export function* checkingParts(value: unknown, known: ReadonlySet<unknown>): Work<Finding[]> {
  const findings = findingsIn('file', value, []);
  if (findings.length > 0) return findings;
  const { tenants } = value as WrittenFile;
  for (const [index, { zones, plans }] of tenants.entries()) {
    const path: Path = ['tenants', index];
    if (!known.has(zones)) yield* checkingZones(zones, { path, findings });
    for (const [at, plan] of plans.entries()) {
      yield;
      if (known.has(plan)) continue;
      const planPath = [...path, 'plans', at];
      const found = findingsIn('plan', plan, planPath);
      findings.push(...found);
      if (found.length > 0) continue;
      yield* checkingZones(plan.zones, { path: planPath, findings });
      for (const [order, rule] of plan.rules.entries()) {
        yield;
        findings.push(...findingsIn('rule', rule, [...planPath, 'rules', order]));
      }
    }
  }
  return findings;
}

function* checkingZones(
  zones: readonly WrittenZone[] | undefined,
  { path, findings }: { path: Path; findings: Finding[] },
): Work<void> {
  for (const [index, zone] of (zones ?? []).entries()) {
    yield;
    findings.push(...findingsIn('zone', zone, [...path, 'zones', index]));
  }
}

function findingsIn(part: Part, value: unknown, path: Path): Finding[] {
  let holds = compiled.get(part);
  if (holds === undefined) {
    holds = ajv.compile(schemas[part]);
    compiled.set(part, holds);
  }
  return holds(value) ? [] : findingsOf(holds.errors ?? [], { value, path });
}
