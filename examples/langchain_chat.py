"""LangChain's ChatOpenAI, streaming; titles are left to the large model alone.

pip install langchain-openai; costeer gateway --context-file me.txt;
python examples/langchain_chat.py
"""

import sys

from langchain_openai import ChatOpenAI

url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8082/v1"
question = "Recommend a dinner spot"

chat = ChatOpenAI(model="costeer", base_url=url, api_key="none", max_tokens=60)
for chunk in chat.stream(question):
    print(chunk.content, end="", flush=True)
print()

titles = ChatOpenAI(model="costeer/off", base_url=url, api_key="none", max_tokens=8)
print("Title:", titles.invoke(f"A title of three words for: {question}").content)
