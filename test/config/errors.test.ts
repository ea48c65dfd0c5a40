/** The table of errors and the one class that carries its rows. */
import { expect, test } from 'vitest';
import { type ErrorCode, errors, errorsTable, TollkeeperError } from '../../src/errors.ts';

test('the text is filled in, and the row gives status, exit code and advice', () => {
  const error = new TollkeeperError('BUCKET_UNKNOWN', { account: 'a-1', bucket: 7 });
  expect(error.message).toBe('Account a-1 has no bucket 7');
  expect(error).toMatchObject({ code: 'BUCKET_UNKNOWN', status: 404, exitCode: 1 });
  expect(error.todo).toBe(errors.BUCKET_UNKNOWN.todo);
});

test('a value is text, never a pattern: braces and dollars in it stay as they are', () => {
  const error = new TollkeeperError('FILE_UNREADABLE', { file: '$&{reason}', reason: '$1' });
  expect(error.message).toBe('$&{reason} cannot be read: $1');
});

test('an error without a status is a 500 to HTTP; a mistake of the caller exits with 2', () => {
  const error = new TollkeeperError('SETTINGS_INVALID', { problems: 'x' });
  expect(error).toMatchObject({ status: 500, exitCode: 2 });
});

test('the cause is kept', () => {
  const cause = new Error('ECONNREFUSED');
  expect(new TollkeeperError('TOO_LATE', {}, { cause }).cause).toBe(cause);
});

test('every row has a code of capitals, a text and advice, in sentences that end alike', () => {
  for (const [code, row] of Object.entries(errors)) {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(row.text, code).toMatch(/^[A-Z{].*[^.]$/s);
    expect(row.todo, code).toMatch(/^[A-Z].*\.$/);
  }
});

test('the table has one row a code', () => {
  const rows = errorsTable().split('\n').slice(2);
  const codes = Object.keys(errors) as ErrorCode[];
  expect(rows.map((row) => row.split('`')[1])).toEqual(codes);
});
