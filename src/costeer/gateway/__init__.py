"""An OpenAI-compatible API on the device, for applications; the context stays behind it."""
