/**
 * A Redis with a replica, watched by three Sentinels: what a failover does to whoever uses it.
 */
export interface SentinelRig {
  /** `redis+sentinel://127.0.0.1:p1,127.0.0.1:p2,127.0.0.1:p3/orderwright` */
  readonly url: string;
  /**
   * Kills the master; resolves when the replica has been promoted and answers as master, with the time
   * since which acknowledged writes may be lost, ms since 1970.
   */
  readonly failOver: () => Promise<{ readonly lostSince: number }>;
  /** The dead one comes back as a replica of the new master; resolves when it has caught up. */
  readonly healOld: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openSentinelRig(): Promise<SentinelRig> {
  throw new Error("");
}
