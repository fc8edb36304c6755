"""Shows what schemathesis tested, from its report: an operation that only ever answers 404 was not tested, whatever it says.

python tested.py REPORT.ndjson
"""

import json
import sys
from collections import Counter, defaultdict

# So many good requests of each operation that has parameters or a body must be answered with what they ask for.
LEAST = 10


def main(report):
    answers = defaultdict(Counter)
    with open(report, encoding="utf-8") as lines:
        for line in lines:
            finished = json.loads(line).get("ScenarioFinished")
            # What follows from other answers is one scenario of several operations, and not counted.
            if finished is not None and finished["phase"] != "stateful":
                count(finished["recorder"], answers)
    too_few = []
    print(f"{'operation':48} {'good':>6} {'2xx, 3xx':>9} {'bad':>6} {'refused':>8}")
    for operation, counts in sorted(answers.items()):
        good, served, bad, refused = (counts[kind] for kind in ("good", "served", "bad", "refused"))
        print(f"{operation:48} {good:6} {served:9} {bad:6} {refused:8}")
        least = LEAST if "{" in operation or counts["with_query"] or counts["with_body"] else 1
        if served < least:
            too_few.append(f"{operation}: {served} good requests were served, {least} are needed")
    total = sum((counts for counts in answers.values()), Counter())
    print(f"{len(answers)} operations, {total['good']} good requests, {total['bad']} bad ones")
    if not answers:
        too_few.append("nothing was tested")
    print("\n".join(too_few))
    return 1 if too_few else 0


def count(recorder, answers):
    for name, exchange in recorder.get("interactions", {}).items():
        case = recorder["cases"].get(name, {}).get("value", {})
        response = exchange.get("response")
        if response is None or not case.get("meta"):
            continue
        counts = answers[recorder["label"]]
        status = response["status_code"]
        if case["meta"]["generation"]["mode"] == "positive":
            counts.update(["good"] + ["served"] * (status < 400))
        else:
            counts.update(["bad"] + ["refused"] * (400 <= status < 500))
        counts.update(["with_query"] * bool(case.get("query")) + ["with_body"] * ("body" in case))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
