"""Who works for the shop's companies, and what they drive: three hierarchies."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.orm import Mapped, MappedAsDataclass, mapped_column, relationship

from shop.models.base import Base


class Company(Base):
    __tablename__ = "company"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    employees: Mapped[list[Employee]] = relationship(back_populates="company", order_by="Employee.id")


class Laptop(Base):
    __tablename__ = "laptop"
    id: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str]


class Employee(Base):
    __tablename__ = "employee"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"), index=True)
    company: Mapped[Company] = relationship(back_populates="employees")
    skill_links: Mapped[list[EmployeeSkill]] = relationship(order_by="EmployeeSkill.skill_id")
    skills: AssociationProxy[list[Skill]] = association_proxy("skill_links", "skill")
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "employee"}


class Engineer(Employee):
    __tablename__ = "engineer"
    id: Mapped[int] = mapped_column(ForeignKey("employee.id"), primary_key=True)
    language: Mapped[str] = mapped_column(default="python")
    laptop_id: Mapped[int | None] = mapped_column(ForeignKey("laptop.id"), index=True)
    laptop: Mapped[Laptop | None] = relationship()
    __mapper_args__ = {"polymorphic_identity": "engineer"}


class Manager(Employee):
    __tablename__ = "manager"
    id: Mapped[int] = mapped_column(ForeignKey("employee.id"), primary_key=True)
    budget: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"polymorphic_identity": "manager"}


class Skill(Base):
    __tablename__ = "skill"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class EmployeeSkill(Base):
    __tablename__ = "employee_skill"
    employee_id: Mapped[int] = mapped_column(ForeignKey("employee.id"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(ForeignKey("skill.id"), primary_key=True, index=True)
    level: Mapped[int] = mapped_column(default=1)
    skill: Mapped[Skill] = relationship()


class Depot(Base):
    __tablename__ = "depot"
    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str]


class Vehicle(Base):
    __tablename__ = "vehicle"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    plate: Mapped[str]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "vehicle"}


class Truck(Vehicle):
    tonnage: Mapped[int | None]
    depot_id: Mapped[int | None] = mapped_column(ForeignKey("depot.id"), index=True)
    depot: Mapped[Depot | None] = relationship()
    __mapper_args__ = {"polymorphic_identity": "truck"}


class Car(Vehicle):
    seats: Mapped[int | None]
    __mapper_args__ = {"polymorphic_identity": "car", "polymorphic_load": "inline"}


class Badge(MappedAsDataclass, Base):
    """Has a generated repr, which shows the employee too."""

    __tablename__ = "badge"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    employee_id: Mapped[int] = mapped_column(ForeignKey("employee.id"), index=True, init=False)
    code: Mapped[str]
    employee: Mapped[Employee] = relationship()
