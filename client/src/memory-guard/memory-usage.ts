/** What this process has of the machine's memory. */

import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";

/** All in bytes. */
export interface MemoryUsage {
  /** In physical memory now. */
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  /** Memory outside of the heap that objects in it hold, array buffers included. */
  readonly externalBytes: number;
  readonly arrayBuffersBytes: number;
  /** Address space, most of which costs nothing; undefined where the platform does not say (all but Linux). */
  readonly virtualBytes: number | undefined;
  /** What the process may use: the machine's memory, or its control group's limit where that is lower. */
  readonly totalBytes: number;
  /** What could still be used without swapping, as far as the platform says. */
  readonly availableBytes: number;
  /** Resident bytes as a share of the total, 0 to 100. */
  readonly percentOfTotal: number;
}

/** Takes some 50 microseconds. */
export function monitorMemoryUsage(): MemoryUsage {
  const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  const totalBytes = totalMemory();
  return {
    residentBytes: rss,
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    externalBytes: external,
    arrayBuffersBytes: arrayBuffers,
    virtualBytes: virtualMemory(),
    totalBytes,
    availableBytes: Math.min(totalBytes, availableMemory()),
    percentOfTotal: (100 * rss) / totalBytes,
  };
}

function totalMemory(): number {
  const machine = totalmem();
  // 0, or a number beyond all machines, where there is no limit.
  const limit = process.constrainedMemory();
  return limit > 0 && limit < machine ? limit : machine;
}

function availableMemory(): number {
  // Knows of control groups; Node has it from 20.13 on.
  const { availableMemory: ask } = process as { availableMemory?: () => number };
  const available = ask?.call(process) ?? 0;
  return available > 0 ? available : freemem();
}

function virtualMemory(): number | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const kib = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1_024;
  } catch {
    return undefined;
  }
}
