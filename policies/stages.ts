/**
 * What is at stake in a stack, by its name: `dev` and `dev-anything` are one person's trial, `staging` and
 * `staging-anything` are shared but hold nobody's data. Every other name is taken for production, so that a new stack
 * is held to everything until somebody decides otherwise.
 */
export type Stage = "trial" | "staging" | "production";

/** @param stack name of the stack */
export function stageOf(stack: string): Stage {
  if (/^dev(-|$)/.test(stack)) return "trial";
  if (/^staging(-|$)/.test(stack)) return "staging";
  return "production";
}
