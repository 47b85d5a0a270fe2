"""Middleware for development servers: judges each request, logs what it finds, tells the browser the time spent."""
