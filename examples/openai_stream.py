"""The official openai client, streaming. Only the base URL is set.

pip install openai; costeer gateway --context-file me.txt; python examples/openai_stream.py
"""

import sys

from openai import OpenAI

url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8082/v1"

with OpenAI(base_url=url, api_key="none") as client:
    stream = client.chat.completions.create(
        model="costeer",
        messages=[{"role": "user", "content": "Recommend a dinner spot"}],
        max_tokens=60,
        stream=True,
    )
    for chunk in stream:
        for choice in chunk.choices:
            print(choice.delta.content or "", end="", flush=True)
    print()
