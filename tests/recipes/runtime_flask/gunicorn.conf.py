"""How gunicorn serves the shop: loaded once, then forked; a worker that ends closes its connections."""

from pytest_dbguard.runtime import get_database_service

wsgi_app = "shop:create_app()"
preload_app = True
workers = 2


def when_ready(_):
    """Fail here, and not in the first request, where the database cannot be reached."""
    with get_database_service().client().engine.connect():
        pass


def worker_exit(_, worker):
    get_database_service().stop()
    worker.log.info("databases are %s", get_database_service().state)
