/**
 * Stands between clients and one Redis, and does to their connections what networks do: cuts them,
 * slows them down, and loses the reply to a command that was carried out.
 *
 * Bytes are relayed as they come; the proxy only reads along (redis-link.ts).
 */
import { createServer, type Server, type Socket } from "node:net";
import { type Drop, openLink, type RedisLink } from "./redis-link.ts";

export interface RedisProxy {
  readonly port: number;
  /** Commands relayed, replies dropped, connections cut by `cut`: counted. */
  readonly counts: Readonly<Record<"commands" | "repliesDropped" | "connectionsCut", number>>;
  /** Points it elsewhere: after a restart on another port, after a failover. Connections that exist
   * stay where they are. */
  readonly target: (port: number) => void;
  /** Cuts all connections; new ones are refused until `mend`. */
  readonly cut: () => void;
  readonly mend: () => void;
  /** Every chunk in both directions waits that long, order kept; 0 ends it. */
  readonly slow: (ms: number) => void;
  /**
   * The next `count` commands that match are carried out by Redis, and the connection is severed
   * instead of relaying the reply; `counts.repliesDropped` tells how many have been. `match` gets the
   * command in lower case: its name and up to three arguments. A command of a transaction counts with
   * the reply to its EXEC. An error is always relayed: nothing was carried out. Without `match`, any
   * command does but those by which a client sets a connection up.
   */
  readonly dropReplies: (count: number, match?: (command: readonly string[]) => boolean) => void;
  /** Takes back what `dropReplies` was asked for and has not come to pass. */
  readonly forget: () => void;
  readonly close: () => Promise<void>;
}

const HOST = "127.0.0.1";

/** Losing one of these disturbs the connecting alone. */
const SETTING_UP = new Set(["hello", "auth", "client", "info", "select", "ping", "config", "quit"]);

export async function startRedisProxy(targetPort: number): Promise<RedisProxy> {
  const counts = { commands: 0, repliesDropped: 0, connectionsCut: 0 };
  const links = new Set<RedisLink>();
  let drops: readonly Drop[] = [];
  let port = targetPort;
  let isCut = false;
  let delayMs = 0;

  const accept = (client: Socket): void => {
    if (isCut) {
      client.on("error", () => undefined);
      client.resetAndDestroy();
      return;
    }
    const link = openLink(client, {
      port,
      counts,
      delayMs: () => delayMs,
      drops: () => drops,
      onClose: () => links.delete(link),
    });
    links.add(link);
  };
  const cut = (): void => {
    counts.connectionsCut += links.size;
    for (const link of links) link.sever();
  };
  const server = createServer({ noDelay: true }, accept);
  return {
    port: await listen(server),
    counts,
    target: (next) => {
      port = next;
    },
    cut: () => {
      isCut = true;
      cut();
    },
    mend: () => {
      isCut = false;
    },
    slow: (ms) => {
      delayMs = ms;
    },
    dropReplies: (count, match = doesWork) => {
      drops = [...drops.filter(({ left }) => left > 0), { left: count, match }];
    },
    forget: () => {
      drops = [];
    },
    close: async () => {
      for (const link of links) link.sever();
      await new Promise((done) => server.close(done));
    },
  };
}

function doesWork([name = ""]: readonly string[]): boolean {
  return !SETTING_UP.has(name);
}

async function listen(server: Server): Promise<number> {
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(0, HOST, () => {
      const address = server.address();
      done(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}
