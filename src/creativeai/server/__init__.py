"""The REST API over the engine: `create_app` makes it, `creativeai.server.run.serve` serves it."""
