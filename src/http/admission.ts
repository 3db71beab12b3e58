/**
 * How much intake holds at a time. Requests are counted from their head on, before their body is read,
 * so that a flood costs neither memory nor the patience of those that are already in.
 */
export interface Admission {
  /** A function that gives the place back, to be called once; `undefined` when there is none. */
  readonly admit: (sizeBytes: number) => (() => void) | undefined;
}

export interface AdmissionLimits {
  readonly requestsMax: number;
  readonly bytesMax: number;
}

export function openAdmission({ requestsMax, bytesMax }: AdmissionLimits): Admission {
  let [requests, bytes] = [0, 0];
  return {
    admit: (sizeBytes) => {
      if (requests >= requestsMax) return undefined;
      // The largest body must get in some time: alone it may have more than all together.
      if (requests > 0 && bytes + sizeBytes > bytesMax) return undefined;
      requests += 1;
      bytes += sizeBytes;
      return () => {
        requests -= 1;
        bytes -= sizeBytes;
      };
    },
  };
}
