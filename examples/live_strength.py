"""Turn steering off in the middle of an answer: from there on the large model writes alone.

pip install openai; costeer gateway --context-file me.txt; python examples/live_strength.py
"""

import sys

from openai import NotFoundError, OpenAI

url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8082/v1"
answers = url.removesuffix("/v1") + "/costeer/answers"

with OpenAI(base_url=url, api_key="none") as client:
    stream = client.chat.completions.create(
        model="costeer",
        messages=[{"role": "user", "content": "Write a postcard to a friend"}],
        max_tokens=200,
        stream=True,
    )
    for number, chunk in enumerate(stream):
        if number == 20:
            body = {"strength": "off"}
            try:
                client.post(f"{answers}/{chunk.id}/strength", body=body, cast_to=object)
                print("[off]", end="")
            except NotFoundError:
                print("[too late: the answer is finished]", end="")
        for choice in chunk.choices:
            print(choice.delta.content or "", end="", flush=True)
    print()
