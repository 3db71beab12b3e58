/**
 * Keys and their values, with expiry and snapshots. Always true: a key that has expired or whose
 * collection is empty is not there; what a snapshot holds never changes, because a value that one
 * holds is copied before it is written to.
 */
import { wrongType } from "./reply-error.ts";
import { copySortedSet, emptySortedSet, type SortedSet } from "./sorted-set.ts";

/** What each type of key holds, named as by Redis's TYPE. */
export interface Contents {
  readonly string: string;
  readonly hash: Map<string, string>;
  readonly list: string[];
  readonly set: Set<string>;
  readonly zset: SortedSet;
}

type Type = keyof Contents;
type Collection = Exclude<Type, "string">;

export type Value = {
  readonly [T in Type]: {
    readonly type: T;
    readonly content: Contents[T];
    /** ms; absent when it stays for ever. */
    readonly expiresAt: number | undefined;
    /** The generation that may write to it. */
    readonly generation: number;
  };
}[Type];

/** Everything that a Redis in memory held at one moment. */
export interface MemorySnapshot {
  readonly values: ReadonlyMap<string, Value>;
}

const EMPTY: { readonly [C in Collection]: () => Contents[C] } = {
  hash: () => new Map(),
  list: () => [],
  set: () => new Set(),
  zset: emptySortedSet,
};

export class Keyspace {
  readonly now: () => number;
  #values: Map<string, Value> = new Map();
  /** Grows with each snapshot: values of an earlier generation may be held by one. */
  #generation = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  /** For reading alone. Throws WRONGTYPE. */
  read<T extends Type>(key: string, type: T): Contents[T] | undefined {
    return this.#find(key, type)?.content as Contents[T] | undefined;
  }

  /** For writing, made when the key is not there. The caller leaves no empty collection behind. */
  open<C extends Collection>(key: string, type: C): Contents[C] {
    const present = this.#find(key, type);
    if (present?.generation === this.#generation) return present.content as Contents[C];
    const fresh = present === undefined ? this.#made(EMPTY[type](), type) : this.#copied(present);
    this.#values.set(key, fresh);
    return fresh.content as Contents[C];
  }

  has(key: string): boolean {
    return this.#present(key) !== undefined;
  }

  putString(key: string, content: string): void {
    this.#values.set(key, this.#made(content, "string"));
  }

  drop(key: string): boolean {
    return this.has(key) && this.#values.delete(key);
  }

  expireAt(key: string, expiresAt: number): void {
    const value = this.#present(key);
    if (value !== undefined) this.#values.set(key, { ...value, expiresAt });
  }

  snapshot(): MemorySnapshot {
    this.#generation += 1;
    return { values: new Map(this.#values) };
  }

  restore({ values }: MemorySnapshot): void {
    this.#generation += 1;
    this.#values = new Map(values);
  }

  #present(key: string): Value | undefined {
    const value = this.#values.get(key);
    if (value?.expiresAt === undefined || this.now() <= value.expiresAt) return value;
    this.#values.delete(key);
    return undefined;
  }

  #find(key: string, type: Type): Value | undefined {
    const value = this.#present(key);
    if (value !== undefined && value.type !== type) throw wrongType();
    return value;
  }

  #made(content: Value["content"], type: Type): Value {
    return { type, content, expiresAt: undefined, generation: this.#generation } as Value;
  }

  #copied(value: Value): Value {
    return { ...value, content: copyOf(value), generation: this.#generation } as Value;
  }
}

function copyOf(value: Value): Value["content"] {
  switch (value.type) {
    case "string":
      return value.content;
    case "hash":
      return new Map(value.content);
    case "list":
      return [...value.content];
    case "set":
      return new Set(value.content);
    case "zset":
      return copySortedSet(value.content);
  }
}
