/** The reference of `docs/plans.md` has every member of the schema. `UPDATE=1` writes it anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { provisioningSchema } from '../../src/provisioning/schema.ts';
import { valueDefs } from '../../src/provisioning/schema-values.ts';

const file = join(import.meta.dirname, '..', '..', 'docs', 'plans.md');

interface Schema {
  $ref?: string;
  type?: string;
  const?: unknown;
  enum?: readonly unknown[];
  title?: string;
  description?: string;
  required?: readonly string[];
  properties?: Readonly<Record<string, Schema>>;
  items?: Schema;
  anyOf?: readonly Schema[];
}

const defs: Readonly<Record<string, Schema>> = provisioningSchema.$defs;

/** A schema with what its reference says; what stands beside the reference goes before. */
function resolved({ $ref, ...own }: Schema): Schema {
  return $ref === undefined
    ? own
    : { ...resolved(defs[$ref.slice('#/$defs/'.length)] ?? {}), ...own };
}

interface Part {
  name: string;
  schema: Schema;
}

/** All that has members, in the order in which one comes upon it from the top of the file. */
function partsFrom(name: string, schema: Schema, found = new Map<string, Schema>()): Part[] {
  const { properties, items, anyOf = [] } = resolved(schema);
  if (properties !== undefined && !found.has(name)) {
    found.set(name, resolved(schema));
    for (const [member, value] of Object.entries(properties))
      partsFrom(nameOf(member, value), value, found);
  }
  if (items !== undefined) partsFrom(nameOf(name, items), items, found);
  for (const choice of anyOf) partsFrom(name, choice, found);
  return [...found].map(([part, value]) => ({ name: part, schema: value }));
}

/** A part is called by its definition or, where it has none, by the member that it is. */
function nameOf(member: string, { $ref }: Schema): string {
  const name = $ref?.slice('#/$defs/'.length);
  return name !== undefined && defs[name]?.properties !== undefined ? name : member;
}

function tableOf({ name, schema }: Part): string {
  const rows = Object.entries(schema.properties ?? {}).map(([member, value]) => {
    const { title = '', description = '' } = resolved(value);
    const type = typeOf(value) ?? cell(title);
    const required = schema.required?.includes(member) ?? false;
    expect(title, `${name}.${member} says what is expected`).not.toBe('');
    expect(description, `${name}.${member} says what it means`).not.toBe('');
    return `| ${required ? `**${member}**` : member} | ${type} | ${cell(description)} |`;
  });
  const lines = ['| member | is | means |', '| --- | --- | --- |', ...rows];
  return `### ${name}\n\n${lines.join('\n')}\n`;
}

/** Values of a kind that many members have are told once. */
function typeOf({ $ref = '' }: Schema): string | undefined {
  const name = $ref.slice('#/$defs/'.length);
  return Object.hasOwn(valueDefs, name) ? `[${name}](#values)` : undefined;
}

function valuesTable(): string {
  const rows = Object.entries<Schema>(valueDefs).map(([name, { title = '', description }]) => {
    const more = description === undefined ? '' : ` ${description}`;
    return `| ${name} | ${cell(`${title}.${more}`)} |`;
  });
  return `### Values\n\n${['| value | is |', '| --- | --- |', ...rows].join('\n')}\n`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

test('the reference is what the schema says', () => {
  const page = readFileSync(file, 'utf8');
  const parts = partsFrom('file', provisioningSchema);
  const text = [valuesTable(), ...parts.map(tableOf)].join('\n');
  const between = /(<!-- reference -->\n)(?:.*?\n)??(<!-- \/reference -->)/s;
  expect(page).toMatch(between);
  const right = page.replace(between, (_all, open, close) => `${open}\n${text}\n${close}`);
  if (process.env.UPDATE === '1') writeFileSync(file, right);
  else expect(page).toBe(right);
});

test('every definition with members stands in the reference', () => {
  const names = new Set(partsFrom('file', provisioningSchema).map(({ name }) => name));
  const missing = Object.entries(defs)
    .filter(([name, { properties }]) => properties !== undefined && !names.has(name))
    .map(([name]) => name);
  expect(missing).toEqual([]);
});
