/**
 * Every key name of ours, in one place. All keys of one item share its shard's hash tag, so that any
 * script touches one slot and the same code runs on one Redis, Sentinel and Redis Cluster. Scripts get
 * the shard's prefix as their one KEY and build the names below from it.
 *
 *   <prefix>:{s<shard>}:
 *     a:<item>             actor: revision, space, JSON                     string
 *     j:<item>             journal, oldest first                            list of JSON
 *     seen:<item>          event identity -> first answer; expires. Also a
 *                          mark for each push that reconcile told again     hash
 *     due                  item -> when time alone changes its actor, ms    sorted set
 *     out:<channel>:<item> effects not yet delivered, oldest first          list
 *     ready:<channel>      lanes to deliver now, urgent first               sorted set
 *     later:<channel>      lanes in back-off -> not before, ms              sorted set
 *     leased:<channel>     lanes being delivered -> lease end, ms           sorted set
 *     attempt:<channel>    item -> "<attempts> <idle|begun> <owner>"        hash
 *     look:<channel>       item -> since when its lane must be looked up    hash
 *     blocked:<channel>    item -> problem that a person must solve         hash
 *     lagging:<channel>    item -> "<telling|told> <effect id>": whose push is
 *                          late enough that the item's clocks know it        hash
 *     server               Redis server that was last claimed from          string
 *     caution              until when nothing is sent without a look, ms    string
 *     channels             channels that ever had an effect                 set
 *     status:<status>      item -> last decision, ms                        sorted set
 *     feed                 which journals grew, oldest first; each record is
 *                          item, "<entries> <of them new>", … in lines     list
 *     feedcut              records that were cut off the feed              string
 *     order:<order>        items of an order                                set
 *     attention            item -> since when a person should look, ms      sorted set
 *     dead                 dead letter id -> when, ms                       sorted set
 *     deadletters          dead letter id -> JSON                           hash
 */
export interface Layout {
  /** Key prefix of the deployment, `ow`. */
  readonly prefix: string;
  /** Number of shards: fixed for the life of the data. */
  readonly shards: number;
}

export function shardPrefix(layout: Layout, shard: number): string {
  return `${layout.prefix}:{s${shard}}:`;
}

export function itemPrefix(layout: Layout, itemId: string): string {
  return shardPrefix(layout, shardOf(layout, itemId));
}

/** FNV-1a over UTF-16 units: stable across processes and languages, spread well enough for shards. */
export function shardOf(layout: Layout, itemId: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < itemId.length; index += 1) {
    hash = Math.imul(hash ^ itemId.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % layout.shards;
}

export function allShards(layout: Layout): number[] {
  return Array.from({ length: layout.shards }, (_, shard) => shard);
}

/** Where a deployment records its layout, so that another shard count is refused at start. */
export function layoutKey(layout: Layout): string {
  return `${layout.prefix}:layout`;
}

/** Which Redis server the shard was last claimed from. */
export function serverKey(layout: Layout, shard: number): string {
  return `${shardPrefix(layout, shard)}server`;
}

/** When somebody last looked for pushes that are late, ms. */
export function lookedKey(layout: Layout): string {
  return `${layout.prefix}:looked`;
}

/** Written to see whether Redis takes writes; holds nothing of worth. */
export function probeKey(layout: Layout): string {
  return `${layout.prefix}:probe`;
}

/** The SLA policy of the deployment: policy-store.ts has its fields. */
export function policyKey(layout: Layout): string {
  return `${layout.prefix}:policy`;
}

/** The API keys of the deployment: key-store.ts has its fields. */
export function apiKeysKey(layout: Layout): string {
  return `${layout.prefix}:keys`;
}

/** What operators did, oldest first: audit-chain.ts has an entry's shape. */
export function auditKey(layout: Layout): string {
  return `${layout.prefix}:audit`;
}

/** What is known of a request that may be repeated; its own text in lua/append-audit.lua. */
export function requestKey(layout: Layout, name: string): string {
  const key = auditKey(layout);
  return `${key}:{${key}}:${name}`;
}

/** Which encryption keys were ever used: id -> what tells a key from another of that id. */
export function sealsKey(layout: Layout): string {
  return `${layout.prefix}:seals`;
}

/** The limiter of one API key, of the same kind as an account's. */
export function apiKeyLimiterKey(layout: Layout, keyId: string): string {
  return `${layout.prefix}:{key:${keyId}}:limit`;
}

/** Until when nothing of the shard is sent without a look, ms. */
export function cautionKey(layout: Layout, shard: number): string {
  return `${shardPrefix(layout, shard)}caution`;
}

/** Who polls the account, by what is walked, and how often that has failed (`:failed`). */
export function turnKey(layout: Layout, account: string, walk: string): string {
  return `${layout.prefix}:{acct:${account}}:turn:${walk}`;
}

/** The account's limiter: its own hash tag, for it is shared by all shards. */
export function limiterKey(layout: Layout, account: string): string {
  return `${layout.prefix}:{acct:${account}}:limit`;
}
