import { building } from "./texts/building";
import { frame } from "./texts/frame";
import { insights } from "./texts/insights";
import { keeping } from "./texts/keeping";
import { letters } from "./texts/letters";
import { publishing } from "./texts/publishing";
import { replaying } from "./texts/replaying";
import { segments } from "./texts/segments";
import { steps } from "./texts/steps";
import { watching } from "./texts/watching";

/** Every text a person reads, in one place. Functions take what varies. */
export const texts = {
  ...frame,
  ...building,
  ...steps,
  ...watching,
  ...keeping,
  ...letters,
  ...publishing,
  ...replaying,
  ...insights,
  ...segments,
};
