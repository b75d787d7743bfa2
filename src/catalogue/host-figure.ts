/** Figures of hosts and disks that the time to finish rests on. */
export type HostFigureName =
  | "launch_seconds"
  | "communicator_seconds"
  | "first_batches_seconds"
  | "read_bytes_per_second"
  | "drawn_parameters_per_second"
  | "write_bytes_per_second"
  | "checkpoint_seconds"
  | "forward_share";

export interface HostFigure {
  readonly value: number;
  /** Where it is from, or `assumed`. */
  readonly source: string;
  /** What it is of. */
  readonly about: string;
}
