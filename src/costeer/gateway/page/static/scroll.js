/** Keeps the end of the conversation in sight while it grows, unless the person scrolled away. */

const NEAR = 120; // px from the end that count as "at the end"

export class Scroll {
  #box;
  #following = true;

  constructor(box) {
    this.#box = box;
    box.addEventListener(
      "scroll",
      () => {
        this.#following = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
      },
      { passive: true },
    );
  }

  /** Something grew. */
  follow() {
    if (this.#following) this.#box.scrollTop = this.#box.scrollHeight;
  }

  /** Go to the end and stay there. */
  toEnd() {
    this.#following = true;
    this.follow();
  }
}
