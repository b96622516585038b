"""Private context for one request. The small model reads it; it is not sent to the cloud.

pip install openai; costeer gateway; python examples/private_context.py
"""

import sys

from openai import OpenAI

url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8082/v1"

with OpenAI(base_url=url, api_key="none") as client:
    for context in ("I am vegan.", "I only eat fish."):
        answer = client.chat.completions.create(
            model="costeer",
            messages=[{"role": "user", "content": "Recommend a dinner spot"}],
            max_tokens=60,
            extra_body={"costeer": {"context": context}},
        )
        print(f"{context} -> {answer.choices[0].message.content}")
