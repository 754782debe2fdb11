"""The annotator's side of a task: shows each file, asks for its label, writes the answers as JSON."""

import json
import os

from settings import ANSWERS_PATH, FILES_PATH, LABELS

SHOWN_CHARACTERS = 2000


def list_files(path):
    """The names of the files to label, in order."""
    return sorted(name for name in os.listdir(path) if os.path.isfile(f"{path}/{name}"))


def show_file(path):
    """The beginning of a text; of anything else its path, to be opened by a viewer."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(SHOWN_CHARACTERS)
    except UnicodeDecodeError:
        return os.path.abspath(path)
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


def annotate(path, labels, answers, ask=input):
    """Put into ``answers`` the label of every file that it lacks. An empty answer leaves a file for later."""
    for name in list_files(path):
        if name in answers:
            continue
        print(f"\n{name}\n{show_file(f'{path}/{name}')}")
        while True:
            label = ask(f"label ({', '.join(labels)}): ").strip()
            if label in labels:
                answers[name] = label
            elif label:
                print(f"{label} is none of the labels.")
                continue
            break


def check_answers(answers, files, labels):
    """What is wrong with the answers, one sentence each; nothing when they are complete."""
    problems = [f"{name} has no label." for name in files if name not in answers]
    problems += [f"{name} is none of the files." for name in answers if name not in files]
    problems += [
        f"{name}: {label} is none of the labels." for name, label in answers.items() if label not in labels
    ]
    return problems


def load_answers(path):
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save_answers(answers, path):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(answers, file, indent=2, sort_keys=True)
        file.write("\n")


def main():
    answers = load_answers(ANSWERS_PATH)
    try:
        annotate(FILES_PATH, LABELS, answers)
    except EOFError:
        print("\nNo more input: what is open stays open.")
    save_answers(answers, ANSWERS_PATH)
    problems = check_answers(answers, list_files(FILES_PATH), LABELS)
    for problem in problems:
        print(problem)
    print(f"{len(answers)} answers in {ANSWERS_PATH}")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
