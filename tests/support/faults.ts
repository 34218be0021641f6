import { Fault } from "../../functions/shared/fault";

type FaultType = new (...args: unknown[]) => Fault;

/**
 * One fault of each class in a function's errors; those that others extend are no faults of their own.
 * @param argument what each is made of: a cause, a list of names, whatever its constructor takes
 */
export function faultsOf(errors: object, argument: unknown = ["x"]): Fault[] {
  const types = (Object.values(errors) as FaultType[]).filter(({ prototype }) => prototype instanceof Fault);
  return types
    .filter((type) => !types.some(({ prototype }) => prototype instanceof type))
    .map((type) => new type(argument, "x"));
}
