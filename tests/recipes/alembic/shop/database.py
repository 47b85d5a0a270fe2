"""The engine, made when it is imported."""

import os

from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine(os.environ.get("DATABASE_URL", "postgresql+psycopg://shop@db.shop.example/shop"))
Session = sessionmaker(engine)
