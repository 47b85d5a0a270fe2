"""Delete the carts that nobody has touched for a month: a script for cron."""

from sqlalchemy import delete
from tables import cart, connect

if __name__ == "__main__":
    engine = connect()
    with engine.begin() as connection:
        deleted = connection.execute(delete(cart).where(cart.c.age_in_days > 30)).rowcount
    engine.dispose()
    print(f"{deleted} carts deleted")
