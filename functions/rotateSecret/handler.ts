import { type Cause, lineOf, logged } from "../shared/log";
import { RotationError, Unexpected } from "./errors";
import { type Rotation, rotationOf, type Step } from "./event";
import { type RotationDependencies, Steps } from "./steps";

/** One line of the log. */
export interface Line {
  /** The code of an error, or of what was done. */
  readonly code: string;
  readonly step?: Step;
  /** ID of the version that is rotated to. */
  readonly version?: string;
  readonly detail?: string;
  readonly causes?: readonly Cause[];
}

/** What the function needs from outside. */
export interface Dependencies extends RotationDependencies {
  readonly log: (level: "info" | "error", line: Line) => void;
}

/** The function: takes the event of one step of a rotation. @throws RotationError */
export type Handler = (event: unknown) => Promise<void>;

/** Rotates the password of a secret's database user, step by step as Secrets Manager asks for it. */
export function handlerOf({ log, ...dependencies }: Dependencies): Handler {
  const steps = new Steps(dependencies);
  return async (event) => {
    let rotation: Rotation | undefined;
    const trace = () => (rotation ? { step: rotation.step, version: rotation.version } : {});
    try {
      rotation = rotationOf(event);
      const code = await steps.take(rotation);
      log("info", { code, ...trace() });
    } catch (error) {
      const rotationError = error instanceof RotationError ? error : new Unexpected(error);
      log("error", { ...lineOf(rotationError), ...trace() });
      throw logged(rotationError);
    }
  };
}
