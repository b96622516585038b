"""The runtime on the device: prompts, the small model's delta, the decoding loop."""
