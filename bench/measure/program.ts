import { timeScript } from "../children";
import { atMost, type Figure, readable } from "../figures";
import { summarize } from "../statistics";

const rounds = 5;

/** Evaluating the whole program against mocks, each time in a process of its own, beside one that only loads the packages. */
export async function measureProgram(): Promise<Figure> {
  const empty: number[] = [];
  const whole: number[] = [];
  let resources = 0;
  for (let round = 0; round < rounds; round++) {
    empty.push((await timeScript("processes/emptyProgram.cjs")).ms / 1000);
    const { ms, stdout } = await timeScript("processes/program.cjs");
    whole.push(ms / 1000);
    resources = Number(stdout);
  }
  if (!(resources > 50)) throw new Error(`The program registered ${resources} resources; it was not evaluated.`);
  const [without, full] = [summarize(empty), summarize(whole)];
  return atMost(1.5, {
    figure: "evaluating the program, above one that imports @pulumi/aws",
    unit: "s",
    value: full.median - without.median,
    detail: `${readable(full.median)} s for ${resources} resources, ${readable(without.median)} s without`,
  });
}
