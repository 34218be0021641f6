import { cpus, totalmem } from "node:os";

/** The machine on which the figures were measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly mysql: string;
  /** Load average of the minute before; above the number of cores, other processes distort the figures. */
  readonly load: number;
}

/** @param mysql a description of the server */
export function describeMachine(mysql: string, load: number): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    mysql,
    load: Number(load.toFixed(1)),
  };
}

export function machineText({ cpu, cores, memoryGiB, system, node, mysql, load }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}, MySQL: ${mysql}; load before: ${load}`;
}
