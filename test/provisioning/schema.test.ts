/** The published JSON schema is the one that checks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, expectTypeOf, test } from 'vitest';
import {
  provisioningSchema,
  type WrittenAccount,
  type WrittenFile,
  type WrittenRule,
} from '../../src/provisioning/schema.ts';

const published = new URL('../../samples/provisioning.schema.json', import.meta.url);

test('the published schema is the one in the code (UPDATE=1 rewrites it)', () => {
  if (process.env.UPDATE === '1') {
    writeFileSync(published, `${JSON.stringify(provisioningSchema, undefined, 2)}\n`);
  }
  // Compared as text without blanks, so that the order of members counts and layout does not.
  const text = JSON.stringify(JSON.parse(readFileSync(published, 'utf8')));
  expect(text).toBe(JSON.stringify(provisioningSchema));
});

test('the schema is itself valid JSON Schema 2020-12', () => {
  const ajv = new Ajv2020({ strict: true });
  expect(ajv.validateSchema(provisioningSchema)).toBe(true);
  expect(() => ajv.compile(provisioningSchema)).not.toThrow();
});

test('every value that can be wrong says what is expected of it', () => {
  const untitled: string[] = [];
  const visit = (schema: object, path: string, inChoice: boolean): void => {
    if ('$ref' in schema) return;
    if (!inChoice && !('title' in schema)) untitled.push(path);
    if ('anyOf' in schema)
      (schema.anyOf as object[]).forEach((choice, i) => {
        visit(choice, `${path}|${i}`, true);
      });
    if ('items' in schema) visit(schema.items as object, `${path}[]`, false);
    if ('properties' in schema)
      for (const [name, member] of Object.entries(schema.properties as Record<string, object>))
        visit(member, `${path}.${name}`, false);
  };
  visit(provisioningSchema, '', false);
  for (const [name, def] of Object.entries(provisioningSchema.$defs)) visit(def, name, false);
  expect(untitled).toEqual([]);
});

test('types are read off the schema', () => {
  expectTypeOf<WrittenAccount['id']>().toEqualTypeOf<string>();
  expectTypeOf<WrittenAccount['status']>().toEqualTypeOf<'active' | 'blocked' | undefined>();
  expectTypeOf<WrittenRule['free']>().toEqualTypeOf<true | undefined>();
  expectTypeOf<NonNullable<WrittenRule['match']>['ratingGroup']>().toEqualTypeOf<
    readonly (number | 'none')[] | undefined
  >();
  expectTypeOf<WrittenFile['tenants'][number]['currency']>().toEqualTypeOf<string>();
});
