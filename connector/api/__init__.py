"""The door for programs: post documents, poll the feed, read stories, settle what waits. OpenAPI at `/openapi.json`."""
