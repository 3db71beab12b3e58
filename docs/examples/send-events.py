"""Sends a JSON array of events from standard input to Orderwright, with the standard library alone.

Prints one line per event, in order: id, outcome, and of a refused one why. Ends with 1 when one was refused.

    ORDERWRIGHT_URL      default http://127.0.0.1:3100
    ORDERWRIGHT_API_KEY  not needed on the machine of an API without keys
"""

import http.client
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request

URL = os.environ.get("ORDERWRIGHT_URL", "http://127.0.0.1:3100") + "/v1/events"
API_KEY = os.environ.get("ORDERWRIGHT_API_KEY")
BATCH_MAX = 100
TIMEOUT_S = 15
DEADLINE_S = 60


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """The key is for the configured address alone."""

    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(NoRedirects)


def send(events):
    """One result per event, in order. Batches leave one after the other."""
    ends_at = time.monotonic() + DEADLINE_S
    results = []
    for start in range(0, len(events), BATCH_MAX):
        results += send_batch(events[start : start + BATCH_MAX], ends_at)
    return results


def send_batch(events, ends_at):
    tries = 0
    while True:
        tries += 1
        status, retry_after, body = post(events)
        if status is not None and status < 500 and status != 429:
            try:
                return json.loads(body)["results"]
            except (ValueError, KeyError, TypeError):
                raise RuntimeError(f"status {status}: {body}") from None
        # Nobody answered, or somebody who will. The same events again: each is applied once.
        wait = retry_after + random.random() * min(10, 0.25 * 2**tries)
        if time.monotonic() + wait > ends_at:
            raise RuntimeError(f"not taken in {DEADLINE_S} s; status {status}: {body}")
        time.sleep(wait)


def post(events):
    headers = {"content-type": "application/json"}
    if API_KEY:
        headers["authorization"] = f"Bearer {API_KEY}"
    request = urllib.request.Request(URL, json.dumps(events).encode(), headers, method="POST")
    try:
        with OPENER.open(request, timeout=TIMEOUT_S) as response:
            return response.status, 0, response.read().decode()
    except urllib.error.HTTPError as error:
        asked = error.headers.get("retry-after", "")
        return error.code, int(asked) if asked.isdigit() else 0, error.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return None, 0, str(error)


def main():
    events = json.load(sys.stdin)
    results = send(events)
    for event, result in zip(events, results, strict=True):
        problem = result.get("problem", {})
        print(event["id"], result["outcome"], *problem.values(), sep="\t")
    sys.exit(any(result["outcome"] != "accepted" for result in results))


main()
