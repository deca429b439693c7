/** Patterns for names: `*` is any run of characters, none included, `?` is one character; everything else stands for itself. */

/** Longer patterns name nothing: a qualified subject has two parts of 255 characters and three marks. */
export const MAX_GLOB_CHARACTERS = 600;

/** Whether the whole text is as the pattern says. Steps back to the last `*` only, so the work is bounded by the product of the lengths. */
export function matchesGlob(glob: string, text: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let resume = 0;
  while (place < text.length) {
    if (glob[at] === "*") {
      star = at;
      at += 1;
      resume = place;
    } else if (at < glob.length && (glob[at] === "?" || glob[at] === text[place])) {
      at += 1;
      place += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      place = resume;
    } else return false;
  }
  while (glob[at] === "*") at += 1;
  return at === glob.length;
}
