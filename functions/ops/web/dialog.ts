// The one dialog: asks before an action, with a count where there is one.

import { html, render } from "lit";

export interface Question {
  title: string;
  text: string;
  action: string;
}

/** Resolves to true if the person confirms. */
export function ask(question: Question): Promise<boolean> {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "question-title");
  dialog.setAttribute("aria-describedby", "question-text");
  const close = (value: string) => () => dialog.close(value);
  render(
    html`<h2 id="question-title">${question.title}</h2>
      <p id="question-text">${question.text}</p>
      <div class="actions">
        <button type="button" class="plain" @click=${close("")}>Cancel</button>
        <button type="button" class="primary" @click=${close("yes")}>${question.action}</button>
      </div>`,
    dialog,
  );
  document.body.append(dialog);
  const answered = new Promise<boolean>((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
  dialog.showModal();
  return answered;
}

export function isAsking(): boolean {
  return document.querySelector("dialog[open]") !== null;
}
