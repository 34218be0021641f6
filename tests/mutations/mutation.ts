import type { Change } from "./changes";
import type { Step } from "./story";

/** What notices a change first: the start, then the story on the started system, then the checks of documented rows. */
export type Catch =
  /** The start is refused with a sentence that contains this. */
  | { readonly start: string }
  /** The story fails at this step, and where given with a message that contains `says`. */
  | { readonly story: Step; readonly says?: string }
  /** Checks of this row of the documents fail (`S1` to `S9`). */
  | { readonly row: string };

/** One thing wrong in what the program registers. */
export interface Mutation {
  /** What is changed, in words; the identity in `docs/caught.md`. */
  readonly name: string;
  /** What AWS would do with it. */
  readonly onAws: string;
  readonly change: Change;
  readonly caughtBy: Catch;
  /** It shows only when the program is edited afterwards: another CORS origin, deployed over the first. */
  readonly edits?: true;
}
