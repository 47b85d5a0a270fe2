"""Entry point of the pytest plugin; imports only the standard library and pytest until it is asked for."""
