"""All that a bot imports: the verified model and the features bar by bar. It needs numpy and onnxruntime alone."""
