// The types of messages, read out of grammar lines and the dictionary: there is no second copy.
// RFC 6733 3.2 and 4.4.
//
//   < Name >    fixed: required, first                { Name }    required
//   [ Name ]    optional                              0*1< Name > optional, first
//   *[ Name ]   any number of them: an array          1*{ Name }  at least one: an array
//   *0[ Name ]  must not be present                   *[ AVP ]    any other AVP
//
// An AVP that a grammar does not list, but admits by `*[ AVP ]`, is an array under its own name.

import type { Avp, Values } from './avp.ts';
import type { AvpName, Avps } from './dictionary.ts';

type Listed<Line> = Line extends `${string}[ ${infer Name} ]`
  ? Name
  : Line extends `${string}{ ${infer Name} }`
    ? Name
    : Line extends `${string}< ${infer Name} >`
      ? Name
      : never;

type RequiredOne<Line> = Line extends `{ ${infer Name} }` | `< ${infer Name} >` ? Name : never;
type RequiredMany<Line> = Line extends `1*{ ${infer Name} }` ? Name : never;
type OptionalOne<Line> = Line extends `[ ${infer Name} ]` | `0*1< ${infer Name} >` ? Name : never;
type OptionalMany<Line> = Line extends `*[ ${infer Name} ]` ? Name : never;
type Forbidden<Line> = Line extends `*0[ ${infer Name} ]` ? Name : never;

type ValueOf<A extends Avp> = A extends { readonly members: readonly string[] }
  ? Message<A['members']>
  : A['format'] extends keyof Values
    ? Values[A['format']]
    : never;

/** The value of one AVP in a message. */
export type Value<Name extends AvpName> = ValueOf<Avps[Name]>;

type Any<Grammar extends readonly string[]> =
  'AVP' extends Listed<Grammar[number]>
    ? { [Name in Exclude<AvpName, Listed<Grammar[number]>>]?: Value<Name>[] }
    : unknown;

/** A message or a group, by its grammar. */
export type Message<Grammar extends readonly string[]> = {
  [Name in RequiredOne<Grammar[number]> & AvpName]: Value<Name>;
} & { [Name in RequiredMany<Grammar[number]> & AvpName]: Value<Name>[] } & {
  [Name in OptionalOne<Grammar[number]> & AvpName]?: Value<Name>;
} & { [Name in OptionalMany<Grammar[number]> & AvpName]?: Value<Name>[] } & {
  [Name in Forbidden<Grammar[number]> & AvpName]?: never;
} & Any<Grammar>;

/** What is left of a message whose decoding met a failure: any member may be missing, at any depth. */
export type Understood<T> = T extends Buffer
  ? T
  : T extends readonly (infer Item)[]
    ? Understood<Item>[]
    : T extends object
      ? { [Key in keyof T]?: Understood<T[Key]> }
      : T;
