import { timeScript } from "../children";
import { type Figure, figureOf } from "../figures";
import { allOf, interleaved } from "../rounds";
import { spread, summarize } from "../statistics";

const rounds = 6;

/** Evaluates the whole program against mocks, and one that only loads the packages, each time in a new process. */
export async function measureProgram(): Promise<Figure> {
  let resources = 0;
  const times = await interleaved(rounds, {
    empty: async () => [(await timeScript("processes/emptyProgram.cjs")).ms / 1000],
    whole: async () => {
      const { ms, stdout } = await timeScript("processes/program.cjs");
      resources = Number(stdout);
      return [ms / 1000];
    },
  });
  if (!(resources > 50)) throw new Error(`The program registered ${resources} resources; it was not evaluated.`);
  const empty = summarize(allOf(times, "empty"));
  const whole = summarize(allOf(times, "whole"));
  return figureOf(
    "evaluating the program, above one that imports @pulumi/aws",
    whole.median - empty.median,
    `${spread(whole, "s")} for ${resources} resources, ${spread(empty, "s")} without`,
  );
}
