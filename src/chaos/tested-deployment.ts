/**
 * The deployment under test: two event workers, two push workers and two API processes of the real
 * command, on one Redis and one marketplace. Like a supervisor it starts a process again that has ended
 * by itself, and remembers that it had to.
 */
import { freePort } from "../embedded/embedded-redis.ts";
import { PROCESS_NAMES, type ProcessName } from "./fault-plan.ts";
import { type Ending, testedProcess, type TestedProcess } from "./tested-process.ts";

export interface DeploymentSetting {
  readonly redisUrl: string;
  readonly marketplaceUrl: string;
  readonly directory: string;
  readonly log: (line: string) => void;
}

export interface Fall {
  readonly name: ProcessName;
  /** When it was seen, ms. */
  readonly at: number;
}

export interface TestedDeployment {
  readonly apiUrls: readonly string[];
  readonly process: (name: ProcessName) => TestedProcess;
  /** While `work` runs, the process may be down. */
  readonly disturb: <Result>(
    name: ProcessName,
    work: (process: TestedProcess) => Promise<Result>,
  ) => Promise<Result>;
  /** Processes that ended by themselves, or did not come up, in order. */
  readonly fallen: readonly Fall[];
  /** All processes are asked to end; resolves with how each one did. */
  readonly end: () => Promise<ReadonlyMap<ProcessName, Ending>>;
  /** Whatever still runs is killed. */
  readonly kill: () => Promise<void>;
}

/** Short, so that what a killed worker held is taken over within seconds. */
const LEASE_MS = 2_000;
export const PUSH_TIMEOUT_MS = 1_500;
const SHUTDOWN_TIMEOUT_MS = 8_000;
export const KEY_PREFIX = "chaos";
export const SHARDS = 8;

const SUPERVISE_EVERY_MS = 300;

/** After the process's own deadline it has this long to be gone, ms. */
const PATIENCE_BEYOND_MS = 2_000;

const ROLES: Readonly<Record<ProcessName, string | undefined>> = {
  "event-worker-1": "events,timers,recovery",
  "event-worker-2": "events,timers,recovery",
  "push-worker-1": "pushes,timers,recovery",
  "push-worker-2": "pushes,timers,recovery",
  "api-1": undefined,
  "api-2": undefined,
};

export async function startDeployment(setting: DeploymentSetting): Promise<TestedDeployment> {
  const ports = new Map<ProcessName, number>();
  for (const name of PROCESS_NAMES) if (isApi(name)) ports.set(name, await freePort());
  const processes = new Map(
    PROCESS_NAMES.map((name) => [name, processOf(name, ports.get(name), setting)]),
  );
  const fallen: Fall[] = [];
  const disturbed = new Set<ProcessName>(PROCESS_NAMES);
  const process = (name: ProcessName): TestedProcess => {
    const found = processes.get(name);
    if (found === undefined) throw new RangeError(`There is no process ${name}.`);
    return found;
  };
  const disturb: TestedDeployment["disturb"] = async (name, work) => {
    disturbed.add(name);
    const result = await work(process(name));
    disturbed.delete(name);
    return result;
  };
  const startAll = PROCESS_NAMES.map((name) => disturb(name, (each) => each.start()));
  await Promise.all(startAll);
  const supervision = setInterval(() => {
    for (const [name, each] of processes) {
      if (each.isUp() || disturbed.has(name)) continue;
      fallen.push({ name, at: Date.now() });
      void disturb(name, () => each.start());
    }
  }, SUPERVISE_EVERY_MS);

  return {
    apiUrls: [...ports.values()].map((port) => `http://127.0.0.1:${port}`),
    process,
    disturb,
    fallen,
    end: async () => {
      clearInterval(supervision);
      const endings = PROCESS_NAMES.map(
        async (name) => [name, await endOf(process(name))] as const,
      );
      return new Map(await Promise.all(endings));
    },
    kill: async () => {
      clearInterval(supervision);
      await Promise.all(PROCESS_NAMES.map((name) => process(name).kill()));
    },
  };
}

/** As a supervisor does it: asked first, killed in the end. */
export async function endOf(process: TestedProcess): Promise<Ending> {
  return process.end(SHUTDOWN_TIMEOUT_MS + PATIENCE_BEYOND_MS);
}

function processOf(
  name: ProcessName,
  port: number | undefined,
  { redisUrl, marketplaceUrl, directory, log }: DeploymentSetting,
): TestedProcess {
  const roles = ROLES[name];
  return testedProcess({
    name,
    args: roles === undefined ? ["api"] : ["worker", "--only", roles],
    directory,
    log,
    env: {
      REDIS_URL: redisUrl,
      OFFERGRID_API_KEY: "sandbox",
      OFFERGRID_BASE_URL: marketplaceUrl,
      OFFERGRID_LIMIT_PER_MINUTE: "unlimited",
      ORDERWRIGHT_KEY_PREFIX: KEY_PREFIX,
      ORDERWRIGHT_QUEUE_PREFIX: KEY_PREFIX,
      ORDERWRIGHT_SHARDS: String(SHARDS),
      ORDERWRIGHT_LEASE_MS: String(LEASE_MS),
      ORDERWRIGHT_PUSH_TIMEOUT_MS: String(PUSH_TIMEOUT_MS),
      ORDERWRIGHT_SHUTDOWN_TIMEOUT_MS: String(SHUTDOWN_TIMEOUT_MS),
      ...(port !== undefined && { ORDERWRIGHT_HTTP_PORT: String(port) }),
    },
  });
}

function isApi(name: ProcessName): boolean {
  return ROLES[name] === undefined;
}
